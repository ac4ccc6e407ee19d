import { ofTarget } from '#core/compose/model.ts'
import { colourNames } from '#core/nginx/colour.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import { nginxFailure } from '#core/nginx/failure.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { TargetFinding } from '#ports/deploy-driver.ts'
import type { Answer } from '#ports/release-folders.ts'
import { answerOf } from './answer.ts'

interface Place {
  readonly target: HostTarget
  readonly blueGreen: ColourConfig
}

/** What `script/examine-colours.ts` said, in words for people; what nginx lacks is told as the deployment would tell it. */
export function colourFindings(place: Place, answers: readonly Answer[]): readonly TargetFinding[] {
  return [nginxFinding(place, answers), probeFinding(answers), portsFinding(place, answers)]
}

function nginxFinding({ target, blueGreen }: Place, answers: readonly Answer[]): TargetFinding {
  const name = 'nginx'
  const file = ofTarget(blueGreen.upstream, target)
  const version = answerOf(answers, 'nginx')
  if (version !== undefined) {
    const found = version.trim()
    if (answerOf(answers, 'unwritten') === undefined) return { name, status: 'ok', found }
    return {
      name,
      status: 'warn',
      found: `${found}; ${file} is not there yet, so the first deployment shows whether nginx includes it`,
      fix: `Write ${file} with \`upstream NAME { server 127.0.0.1:9 down; }\`, NAME as \`proxy_pass\` says it, and \`include ${file};\` inside of \`http { … }\`.`,
    }
  }
  const [word = '', ...rest] = (answerOf(answers, 'lacks') ?? '').split(' ')
  const details = answers.filter((answer) => answer.word === 'log').map((answer) => answer.rest)
  const error = nginxFailure(word, rest.join(' '), { target: target.name, file, details })
  if (error === undefined) throw new Error(`Invariant broken: a host lacks the unknown "${word}"`)
  return { name, status: 'fail', found: error.message, fix: error.hint ?? 'Try `nginx -t` on the host.' }
}

function probeFinding(answers: readonly Answer[]): TargetFinding {
  const name = 'health check'
  const program = answerOf(answers, 'probe') ?? ''
  if (program !== '') return { name, status: 'ok', found: `${program} asks a colour before the switch` }
  return {
    name,
    status: 'fail',
    found: 'neither curl nor wget is there to ask a colour whether it is well',
    fix: 'Install curl or wget on the host.',
  }
}

function portsFinding({ blueGreen: { ports } }: Place, answers: readonly Answer[]): TargetFinding {
  const said = new Map(
    answers.filter(({ word }) => word === 'port').map(({ rest }) => rest.split(' ') as [string, string | undefined]),
  )
  const name = 'ports'
  const places = colourNames.map((colour, index) => ({
    colour,
    port: ports[index] ?? 0,
    whose: said.get(colour) ?? '',
  }))
  const state = { free: 'is free', ours: 'runs', taken: 'is taken by something that Shipway has not started' }
  const found = places
    .map(({ colour, port, whose }) => `${port} (${colour}) ${state[whose as keyof typeof state] ?? 'is unknown'}`)
    .join(', ')
  const taken = places.filter(({ whose }) => whose === 'taken')
  if (taken.length === 0) return { name, status: 'ok', found }
  const looks = taken.map(({ port }) => `\`ss -ltnp 'sport = :${port}'\``).join(' and ')
  return {
    name,
    status: 'fail',
    found,
    fix: `See on the host what it is: ${looks}. End it, or name other ports as \`blueGreen.ports\`.`,
  }
}

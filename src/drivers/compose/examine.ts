import type { ComposeConfig } from '#core/compose/model.ts'
import { composeDefaults } from '#core/compose/model.ts'
import type { HostTarget } from '#core/project/model.ts'
import { renderSize } from '#core/view/size.ts'
import type { TargetFinding } from '#ports/deploy-driver.ts'
import type { ReleaseFolders } from '#ports/release-folders.ts'
import { failureOn } from './failure.ts'
import { examineScript } from './script/examine.ts'
import { renderExamined } from './settings.ts'

const examineMs = 60_000
/** Below this, somebody should look: images are large. Bytes. */
const roomLow = 2 * 1024 * 1024 * 1024

/** What is called how for people, by the words of `script/examine.ts`. */
const names: Readonly<Record<string, string>> = { engine: 'docker engine', composeless: 'compose' }

/** Whether the host has what services need: an engine that answers, a compose, and for blue-green an nginx that can be told. */
export async function examineServices(
  folders: ReleaseFolders,
  {
    target,
    compose = { files: [], profiles: [], ...composeDefaults },
  }: { readonly target: HostTarget; readonly compose?: ComposeConfig },
  signal: AbortSignal,
): Promise<readonly TargetFinding[]> {
  const files = { settings: renderExamined(compose, target) }
  const answers = await folders.ask(target, { script: examineScript, args: [], files, deadlineMs: examineMs }, signal)
  const failure = failureOn({ target, compose })
  return answers.flatMap((answer): readonly TargetFinding[] => {
    const { word, rest } = answer
    switch (word) {
      case 'engine':
        return [{ name: 'docker engine', status: 'ok', found: rest }]
      case 'images':
        return [imagesFinding(rest)]
      case 'compose':
      case 'nginx':
        return [{ name: word, status: 'ok', found: rest.trim() }]
      case 'lacks':
        return [lackFinding(rest, (...said) => failure(...said, answers))]
      default:
        return []
    }
  })
}

function imagesFinding(rest: string): TargetFinding {
  const [room = '', ...place] = rest.split(' ')
  const bytes = Number(room) * 1024
  const found = `${renderSize(bytes)} free in ${place.join(' ')}`
  const name = 'image space'
  if (bytes >= roomLow) return { name, status: 'ok', found }
  return {
    name,
    status: 'warn',
    found,
    fix: 'Free some space on the host: `docker system df` shows what is big, `docker image prune` takes what nothing uses.',
  }
}

/** What is missing is told as the deployment would tell it. */
function lackFinding(
  said: string,
  failure: (word: string, rest: string) => ReturnType<ReturnType<typeof failureOn>>,
): TargetFinding {
  const [word = '', ...rest] = said.split(' ')
  const error = failure(word, rest.join(' '))
  if (error === undefined) throw new Error(`Invariant broken: a host lacks the unknown "${word}"`)
  return {
    name: names[word] ?? 'nginx',
    status: 'fail',
    found: [error.message, ...(error.details ?? []).slice(-3)].join(' '),
    fix: error.hint ?? 'Try it by hand on the host.',
  }
}

import type { HostTarget } from '#core/project/model.ts'
import { renderSize } from '#core/view/size.ts'
import type { TargetFinding } from '#ports/deploy-driver.ts'
import type { Answer } from '#ports/release-folders.ts'
import { answerOf } from './answer.ts'

/** Below this a deployment cannot be recorded safely. Bytes. */
const roomMin = 16 * 1024 * 1024
/** Below this, somebody should look. Bytes. */
const roomLow = 1024 * 1024 * 1024
const nodesMin = 1000

/** Tools that scripts can do without, and what is lost then. */
const optionalTools: Readonly<Record<string, string>> = {
  flock: 'two scripts are kept apart less surely (util-linux)',
  timeout: 'a restart command that hangs is not ended (coreutils)',
  setsid: 'the timer of a switch is started with nohup (util-linux)',
}

/** What `script/examine.ts` said, in words for people. */
export function directoryFindings({ path }: HostTarget, answers: readonly Answer[]): readonly TargetFinding[] {
  return [folderFinding(path, answers), roomFinding(answers), ...toolFindings(answers)]
}

function folderFinding(path: string, answers: readonly Answer[]): TargetFinding {
  const [writable = '', ...words] = (answerOf(answers, 'folder') ?? '').split(' ')
  const place = words.join(' ')
  const name = 'folder'
  if (writable !== 'yes')
    return {
      name,
      status: 'fail',
      found: `the deploying account cannot write in ${place}`,
      fix: `On the host: make ${path} and give it to the account that deploys.`,
    }
  return { name, status: 'ok', found: place === path ? path : `${path} (made with the first deployment, in ${place})` }
}

function roomFinding(answers: readonly Answer[]): TargetFinding {
  const [room = Number.NaN, nodes = Number.NaN] = (answerOf(answers, 'room') ?? '').split(' ').map(Number)
  const name = 'disk space'
  if (Number.isNaN(room))
    return { name, status: 'warn', found: 'df does not say it', fix: 'Look on the host: `df -h`.' }
  const bytes = room * 1024
  const found = `${renderSize(bytes)} free${nodes < nodesMin ? `, and room for ${nodes} files only` : ''}`
  const fix = 'Free some space on the host; `retain` says how many releases stay there.'
  if (bytes < roomMin || nodes < nodesMin) return { name, status: 'fail', found, fix }
  return bytes < roomLow ? { name, status: 'warn', found, fix } : { name, status: 'ok', found }
}

function toolFindings(answers: readonly Answer[]): readonly TargetFinding[] {
  const without = answers.filter(({ word }) => word === 'without').map(({ rest }) => rest)
  const name = 'tools'
  const needed = without.filter((tool) => !(tool in optionalTools))
  if (needed.length > 0)
    return [
      {
        name,
        status: 'fail',
        found: `not there: ${needed.join(', ')}`,
        fix: 'Install them on the host; releases need sh, tar, awk, readlink and one of sha256sum, shasum, openssl.',
      },
    ]
  if (without.length === 0) return [{ name, status: 'ok', found: 'everything that releases need' }]
  const lost = without.map((tool) => `without ${tool} ${optionalTools[tool]}`)
  return [{ name, status: 'warn', found: lost.join('; '), fix: `Install ${without.join(', ')} on the host.` }]
}

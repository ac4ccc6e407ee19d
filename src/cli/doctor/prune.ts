import type { PruneReport } from '#engine/prune.ts'
import type { Session } from '../session.ts'

const nothing: PruneReport = { runs: [], artifacts: [], formerSecrets: [], blobs: 0, bytes: 0 }

/** `doctor --prune`: removes what nobody needs, or says what that would be. */
export async function pruneCommand(
  session: Session,
  options: { readonly runDays: number; readonly isDryRun: boolean },
): Promise<number> {
  const { isDryRun, runDays } = options
  const report = (await session.services.prune(session.home, options)) ?? nothing
  const store = await session.services.actions(session.home)
  const actions = await store.prune({ unusedDays: runDays, isDryRun })
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: 'PruneReport', dryRun: isDryRun, ...report, actions })
    return 0
  }
  for (const run of report.runs) session.print(`run\t${run}`)
  for (const { run, name } of report.artifacts) session.print(`artifact\t${run}\t${name}`)
  for (const { application, environment } of report.formerSecrets)
    session.print(`secrets\t${application}\t${environment}`)
  for (const { repository, commit } of actions) session.print(`action\t${repository}\t${commit}`)
  if (report.kept !== undefined) session.warn(`contents were left alone: ${report.kept}`)
  const values = report.formerSecrets.reduce((sum, one) => sum + one.values, 0)
  const counts = [
    count(report.runs.length, 'run', 'files of '),
    count(report.artifacts.length, 'artifact'),
    ...(values === 0 ? [] : [count(values, 'former value', '', ' of secrets')]),
    count(report.blobs, 'content'),
    count(actions.length, 'commit', '', ' of actions'),
  ]
  const size = `${(report.bytes / 1024 ** 2).toFixed(1)} MB`
  session.say(`${isDryRun ? 'would remove' : 'removed'}: ${counts.join(', ')}; ${size}`)
  return 0
}

function count(number: number, noun: string, before = '', after = ''): string {
  return `${before}${number} ${number === 1 ? noun : `${noun}s`}${after}`
}

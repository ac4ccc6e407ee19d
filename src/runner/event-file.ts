import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { jobFolderUnusable } from '#core/known/runner.ts'
import type { JobRun } from './job-run.ts'

/** Where the event of the run lies as a file, on this machine. */
export function eventFile(job: JobRun): string {
  return `${job.order.paths.temp}/_github_workflow/event.json`
}

/**
 * Writes the event for the step that comes next (actions-semantics 34): once, and again when a step before it has changed or removed
 * the file. Whatever stands in its place is removed, not opened. Throws JOB_FOLDER_UNUSABLE.
 */
export function keepEventFile(job: JobRun): void {
  const path = eventFile(job)
  if (job.eventStamp !== undefined && stampOf(path) === job.eventStamp) return
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(path, { recursive: true, force: true })
    writeFileSync(path, JSON.stringify(job.order.contexts.github['event'] ?? {}), { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw jobFolderUnusable({ path, cause })
  }
  if (job.eventStamp !== undefined) job.host.share(path, 'file')
  job.eventStamp = stampOf(path)
}

/** What changes when somebody writes the file or puts another in its place. Permissions are not a part of it: a container may widen them. */
function stampOf(path: string): string | undefined {
  try {
    const facts = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return facts === undefined ? undefined : `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.mode & 0o170000n}`
  } catch {
    return undefined
  }
}

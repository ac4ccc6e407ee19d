import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { basename, isAbsolute, resolve } from 'node:path'
import { fileCommandInvalid } from '#core/known/runner.ts'
import { addSubjects, invalidLine, parseArtifactFile } from '#core/step/artifact-file.ts'
import type { ArtifactSubject, DeclaredArtifact } from '#core/step/artifact-file.ts'
import type { JobRun } from './job-run.ts'
import type { StepHost } from './step-host.ts'

/** Bytes of a file that are read at a time. */
const READ_BYTES = 1024 * 1024

/** Adds what a step has written into `GITHUB_ARTIFACTS` to the job's artifacts: all of it or, where a line is wrong, nothing (actions-semantics 79). */
export function declareArtifacts(job: JobRun, text: string, host: StepHost): void {
  const declared = parseArtifactFile(text)
  if (declared.kind === 'invalid') throw invalid(declared.reason)
  const before = job.commons.artifacts
  const subjects = addSubjects(
    before,
    declared.value.map((one) => ({ ...subjectOf(job, one, host), line: one.line })),
  )
  if (subjects.kind === 'invalid') throw invalid(subjects.reason)
  job.commons.artifacts = subjects.value
  const count = subjects.value.size - before.size
  if (count > 0)
    job.print([`Captured ${count} artifact subject(s) from this step (job total: ${subjects.value.size}).`])
}

function subjectOf(job: JobRun, one: DeclaredArtifact, host: StepHost): ArtifactSubject {
  if (one.kind === 'oci') return { name: one.name, digest: one.digest, kind: 'oci' }
  const path = pathOf(job, one, host)
  return { name: basename(path), digest: `sha256:${digestOf(path, one)}`, kind: 'file' }
}

/** Relative paths begin at the workspace, whatever folder the step ran in. What only a container has cannot be read from here. */
function pathOf(job: JobRun, { path, line }: DeclaredArtifact & { kind: 'file' }, host: StepHost): string {
  if (!isAbsolute(path)) return resolve(job.order.paths.workspace, path)
  const outside = host.outside(path)
  if (host.kind === 'container' && outside === path) {
    throw invalid(invalidLine(line, `"${path}" is in no folder that the container shares with the runner`).reason)
  }
  return outside
}

function digestOf(path: string, { path: written, line }: DeclaredArtifact & { kind: 'file' }): string {
  const refuse = (why: string) => invalid(invalidLine(line, `"${written}" ${why}`).reason)
  let file: number
  try {
    // Not blocking: it may be a pipe.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    throw refuse('is not there, or cannot be read')
  }
  try {
    if (!fstatSync(file).isFile()) throw refuse('is no file')
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (let read = -1; read !== 0;) {
      read = readSync(file, buffer)
      hash.update(buffer.subarray(0, read))
    }
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}

function invalid(reason: string): ReturnType<typeof fileCommandInvalid> {
  return fileCommandInvalid({ name: 'GITHUB_ARTIFACTS', reason })
}

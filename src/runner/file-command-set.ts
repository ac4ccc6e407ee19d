import {
  appendFileSync,
  writeFileSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileCommandInvalid, fileCommandTooLarge, summaryTooLarge } from '#core/known/runner.ts'
import { renderSubjects } from '#core/step/artifact-file.ts'
import { isBlockedVariable, parseKeyValueFile, parsePathFile } from '#core/step/file-command.ts'
import { declareArtifacts } from './declared-artifacts.ts'
import type { JobRun } from './job-run.ts'
import type { StepCollector } from './step-collector.ts'
import type { StepHost } from './step-host.ts'

/** Most that one step may write into a summary (actions-semantics 78). */
const SUMMARY_BYTES_MAX = 1024 * 1024
/** Most that one step may write of its artifacts (79). */
const ARTIFACTS_BYTES_MAX = 1024 * 1024
/** Summaries that one job may leave (78). */
const SUMMARIES_PER_JOB_MAX = 20
/** Most that the runner reads of any other file: an output may have 1 MiB, and there may be many. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

type FileCommand =
  | 'GITHUB_ENV'
  | 'GITHUB_PATH'
  | 'GITHUB_OUTPUT'
  | 'GITHUB_STATE'
  | 'GITHUB_STEP_SUMMARY'
  | 'GITHUB_ARTIFACTS'
  /** For the step to read: what the steps before it have declared. */
  | 'GITHUB_ARTIFACTS_LIST'

const fileNames: Readonly<Record<FileCommand, string>> = {
  GITHUB_ENV: 'set_env',
  GITHUB_PATH: 'add_path',
  GITHUB_OUTPUT: 'set_output',
  GITHUB_STATE: 'save_state',
  GITHUB_STEP_SUMMARY: 'step_summary',
  GITHUB_ARTIFACTS: 'artifacts',
  GITHUB_ARTIFACTS_LIST: 'artifacts_list',
}

/** The files through which one step talks to its job, as variables for its process. They exist, and are empty. */
export type FileCommandSet = Readonly<Record<FileCommand, string>>

/** Makes the files for a step. Some tools refuse to write into files that are not there, so they are made. */
export function makeFileCommands(job: JobRun): FileCommandSet {
  const folder = join(job.order.paths.temp, '_runner_file_commands')
  const number = job.nextFileNumber()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  job.host.share(folder, 'folder')
  const paths: Partial<Record<FileCommand, string>> = {}
  for (const command of Object.keys(fileNames) as FileCommand[]) {
    const path = `${folder}/${fileNames[command]}_${number}`
    makeEmpty(path)
    if (command === 'GITHUB_ARTIFACTS_LIST') writeFileSync(path, renderSubjects(job.commons.artifacts))
    job.host.share(path, 'file')
    paths[command] = path
  }
  return paths as FileCommandSet
}

/** Whatever an earlier step has put in its place is removed, not opened: opening a pipe would wait for somebody to read it. */
function makeEmpty(path: string): void {
  rmSync(path, { recursive: true, force: true })
  closeSync(openSync(path, 'wx', 0o600))
}

/**
 * Carries out what a step wrote, even when it failed (75). Throws the first thing that cannot be read, after the others
 * were carried out.
 */
export function applyFileCommands(
  files: FileCommandSet,
  job: JobRun,
  { collector, host }: { readonly collector: StepCollector; readonly host: StepHost },
): void {
  const problems: unknown[] = []
  const applyArtifacts = (): void => declareArtifacts(job, readCommandFile(files, 'GITHUB_ARTIFACTS'), host)
  for (const apply of [applyPath, applyEnv, applyOutput, applyState, applySummary, applyArtifacts]) {
    try {
      apply(files, job, collector)
    } catch (error) {
      problems.push(error)
    }
  }
  if (problems.length > 0) throw problems[0]
}

function applyPath(files: FileCommandSet, job: JobRun): void {
  for (const folder of parsePathFile(readCommandFile(files, 'GITHUB_PATH'))) job.addPath(folder)
}

function applyEnv(files: FileCommandSet, job: JobRun): void {
  for (const [name, value] of readEntries(files, 'GITHUB_ENV')) {
    if (isBlockedVariable(name)) {
      job.announce('error', `Can't store ${name} output parameter using '$GITHUB_ENV' command.`)
    } else {
      job.env[name] = value
    }
  }
}

function applyOutput(files: FileCommandSet, _job: JobRun, collector: StepCollector): void {
  for (const [name, value] of readEntries(files, 'GITHUB_OUTPUT')) collector.outputs[name] = value
}

function applyState(files: FileCommandSet, _job: JobRun, collector: StepCollector): void {
  for (const [name, value] of readEntries(files, 'GITHUB_STATE')) collector.state[name] = value
}

function applySummary(files: FileCommandSet, job: JobRun): void {
  const text = readCommandFile(files, 'GITHUB_STEP_SUMMARY')
  if (text.trim() === '') return
  if (job.commons.summaries >= SUMMARIES_PER_JOB_MAX) {
    job.announce('warning', `The summary is left out: a job keeps ${SUMMARIES_PER_JOB_MAX} summaries.`)
    return
  }
  const path = job.order.paths.summary
  if (job.commons.summaries === 0) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  job.commons.summaries += 1
  appendFileSync(path, job.redactor.redact(text.endsWith('\n') ? text : `${text}\n`), { mode: 0o600 })
}

function readEntries(files: FileCommandSet, command: FileCommand): readonly (readonly [string, string])[] {
  const text = readCommandFile(files, command)
  if (text === '') return []
  const parsed = parseKeyValueFile(text)
  if (parsed.kind === 'invalid') throw fileCommandInvalid({ name: command, reason: parsed.reason })
  return parsed.entries
}

/** The text of a file; empty when the step has removed it. */
function readCommandFile(files: FileCommandSet, command: FileCommand): string {
  const file = openIfThere(files[command])
  if (file === undefined) return ''
  try {
    const facts = fstatSync(file)
    if (!facts.isFile())
      throw fileCommandInvalid({ name: command, reason: 'something that is no file stands in its place' })
    const { size } = facts
    if (size === 0) return ''
    if (command === 'GITHUB_STEP_SUMMARY' && size > SUMMARY_BYTES_MAX) {
      throw summaryTooLarge({ bytes: size, bytesMax: SUMMARY_BYTES_MAX })
    }
    const bytesMax = command === 'GITHUB_ARTIFACTS' ? ARTIFACTS_BYTES_MAX : FILE_BYTES_MAX
    if (size > bytesMax) throw fileCommandTooLarge({ name: command, bytes: size, bytesMax })
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    // Not blocking: a step may have put a pipe in its place.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

import { statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { evaluateText } from '#core/expression/template.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { shellInvalid, shellNotFound, workingDirectoryMissing } from '#core/known/runner.ts'
import { withoutMarks } from '#core/step/action-mark.ts'
import { planShell, renderShell, shellArgv } from '#core/step/shell.ts'
import type { ShellPlan } from '#core/step/shell.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { outputSearch } from './matcher/search-output.ts'
import { applyFileCommands, makeFileCommands } from './file-command-set.ts'
import type { FileCommandSet } from './file-command-set.ts'
import { STEP_SUCCEEDED } from './job-run.ts'
import type { Frame, JobRun, StepEnd } from './job-run.ts'
import { makeCollector, openCommandSession } from './step-collector.ts'
import type { StepCollector } from './step-collector.ts'
import { processEnvironment, stepPath } from './step-environment.ts'
import type { StepHost } from './step-host.ts'
import { StepOutput } from './step-output.ts'
import type { ProcessPlan } from './step-process.ts'

/** A step that is about to run: its values so far. */
export interface StepCall {
  readonly step: StepModel
  readonly frame: Frame
  /** The `env` context: of the job, of the steps around, and of the step itself. */
  readonly env: Readonly<Record<string, string>>
  /** The step's own `env` alone. */
  readonly ownEnv: Readonly<Record<string, string>>
  readonly scope: Scope
  /** Where the outputs go: the step's record. */
  readonly outputs: Record<string, string>
}

/** Runs the script of a `run:` step. */
export async function runScriptStep(job: JobRun, call: StepCall): Promise<StepEnd> {
  const { step, frame, env, scope, outputs } = call
  const script = evaluateText(step.run ?? '', scope)
  const cwd = workingDirectory(job, call)
  const shell = chooseShell(job, call, cwd)
  job.print(scriptHeader(script, shell, env))
  const files = makeFileCommands(job)
  const path = writeScript(job, script, shell.plan)
  const collector = makeCollector(outputs)
  const variables = processEnvironment(job, frame, env, step.id, files)
  const argv = shellArgv(shell.plan, shell.program, job.host.inside(path))
  return runStepProcess(job, { argv, cwd, env: variables }, { files, collector })
}

/** Runs the process of a step, and then carries out what it wrote into its files. */
export async function runStepProcess(
  job: JobRun,
  plan: ProcessPlan,
  step: { readonly files: FileCommandSet; readonly collector: StepCollector; readonly host?: StepHost },
): Promise<StepEnd> {
  const { files, collector, host = job.host } = step
  const stopsBefore = job.control.stopCount
  const exitCode = await runLogged(job, plan, collector, host)
  const isStopped = job.control.isOver || job.control.stopCount !== stopsBefore
  return endOfStep(job, isStopped ? 'stopped' : exitCode, () => {
    applyFileCommands(files, job, { collector, host })
    return collector.failure
  })
}

/** Runs a program on the job's host, or another one, with its output in the step's log. Returns its exit code. */
export async function runLogged(
  job: JobRun,
  plan: ProcessPlan,
  collector: StepCollector,
  host: StepHost = job.host,
): Promise<number> {
  const session = openCommandSession(job, collector, { env: plan.env, host })
  const accept = (line: string) => session.accept(line)
  const { redactor, stepNumber } = job
  const open = (stream: 'out' | 'err') =>
    new StepOutput({
      redactor,
      accept,
      search: outputSearch(job, `${job.nextFileNumber()}`),
      write: (lines) => job.log.write(lines, stepNumber, stream),
    })
  const out = open('out')
  const err = open('err')
  const sink = { onOut: (chunk: Buffer) => out.push(chunk), onErr: (chunk: Buffer) => err.push(chunk) }
  const startedAt = performance.now()
  job.diagnose(() => [`Start on the ${host.kind}: ${plan.argv.join(' ')}`, `in ${plan.cwd}`])
  const exitCode = await job.control.stoppable((stop) => host.run(plan, sink, job.world, stop))
  out.end()
  err.end()
  job.diagnose(() => [`Ended with exit code ${exitCode} after ${Math.round(performance.now() - startedAt)} ms`])
  return exitCode
}

/** A script that was stopped has failed, whatever it makes of the signal: why is told by who stopped it. */
function endOfStep(job: JobRun, exitCode: number | 'stopped', apply: () => string | undefined): StepEnd {
  let failed: StepEnd | undefined
  try {
    const failure = apply()
    if (failure !== undefined) failed = { outcome: 'failure', reason: failure }
  } catch (error) {
    failed = job.failStep(error)
  }
  if (exitCode === 'stopped') return { outcome: 'failure', reason: 'The step was stopped.' }
  if (exitCode !== 0) {
    const reason = `Process completed with exit code ${exitCode}.`
    job.announce('error', reason)
    return { outcome: 'failure', reason }
  }
  return failed ?? STEP_SUCCEEDED
}

interface ChosenShell {
  readonly plan: ShellPlan
  readonly program: string
}

function chooseShell(job: JobRun, call: StepCall, cwd: string): ChosenShell {
  const { step, frame, env, scope } = call
  const own = step.shell === undefined ? '' : evaluateText(step.shell, scope)
  const shell = own === '' && frame.depth === 0 ? job.defaults.shell : own
  const path = stepPath(job, env)
  const { host } = job
  const bash = host.prefersBash && (shell ?? '') === '' ? host.findProgram('bash', path, cwd) : undefined
  const plan = planShell(shell, bash !== undefined)
  if (plan === undefined) throw shellInvalid({ shell: shell ?? '' })
  const names = [plan.program, ...(plan.otherName === undefined ? [] : [plan.otherName])]
  const find = (name: string): string | undefined => host.findProgram(name, path, cwd)
  const program = bash ?? names.map(find).find((found) => found !== undefined)
  if (program === undefined) throw shellNotFound({ program: plan.program, path })
  return { plan, program }
}

/** The folder that a step runs in. Throws WORKING_DIRECTORY_MISSING. */
export function workingDirectory(job: JobRun, { step, frame, scope }: StepCall): string {
  const own = step.workingDirectory === undefined ? '' : evaluateText(step.workingDirectory, scope)
  const chosen = own === '' && frame.depth === 0 ? (job.defaults.workingDirectory ?? '') : own
  const { host } = job
  const path = host.outside(resolve(host.inside(job.order.paths.workspace), chosen))
  // A folder that only the container has is looked for there, by Docker.
  const isHere = host.kind === 'machine' || host.inside(path) !== path
  if (isHere && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw workingDirectoryMissing({ path: host.inside(path) })
  }
  return path
}

function writeScript(job: JobRun, script: string, plan: ShellPlan): string {
  const path = `${job.order.paths.temp}/script_${job.nextFileNumber()}${plan.extension}`
  writeFileSync(path, plan.prologue + script + plan.epilogue, { mode: 0o600 })
  job.host.share(path, 'file')
  return path
}

/** The header of a step's log, as GitHub prints it (48). */
function scriptHeader(script: string, shell: ChosenShell, env: Readonly<Record<string, string>>): readonly string[] {
  const lines = script.replace(/\n+$/, '').split('\n')
  return [
    `##[group]Run ${lines.find((line) => line.trim() !== '')?.trim() ?? ''}`,
    ...lines.map(withoutMarks),
    `shell: ${renderShell(shell.plan, shell.program)}`,
    ...environmentLines(env),
    '##[endgroup]',
  ]
}

/** `env:` with its variables, one per line; nothing when there are none. */
export function environmentLines(env: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(env)
  return names.length === 0 ? [] : ['env:', ...names.map((name) => `  ${name}: ${env[name]}`)]
}

import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { hookInvalid, shellNotFound } from '#core/known/runner.ts'
import { githubEnvironment, joinPath } from '#core/step/environment.ts'
import { renderShell, shellArgv } from '#core/step/shell.ts'
import type { ShellPlan } from '#core/step/shell.ts'
import { keepEventFile } from './event-file.ts'
import { makeFileCommands } from './file-command-set.ts'
import type { JobRun, StepEnd } from './job-run.ts'
import { runStepProcess } from './script-step.ts'
import { makeCollector } from './step-collector.ts'
import { runnerEnvironment } from './step-environment.ts'

/** When a hook runs: before everything of the job, or after everything. */
export type JobHook = 'started' | 'completed'

const variableOf: Readonly<Record<JobHook, string>> = {
  started: 'ACTIONS_RUNNER_HOOK_JOB_STARTED',
  completed: 'ACTIONS_RUNNER_HOOK_JOB_COMPLETED',
}

/** The script that the owner of this machine wants to run around every job; undefined when there is none. */
export function hookOf(job: JobRun, hook: JobHook): string | undefined {
  const path = job.world.environment[variableOf[hook]]
  return path === undefined || path === '' ? undefined : path
}

/**
 * Runs a hook of the machine's owner on this machine, outside of any container of the job (actions-semantics 111, ADR 1751). It speaks through
 * file commands and workflow commands as a step does, but has neither outputs nor state; it sees what GitHub promises to every process and
 * nothing of the workflow's `env`, which a stranger may have written. A cancel does not stop it. Throws HOOK_INVALID and SHELL_NOT_FOUND.
 */
export async function runHook(job: JobRun, hook: JobHook, path: string): Promise<StepEnd> {
  job.print([`A job ${hook} hook has been configured by the owner of this machine`])
  const shell = shellOf(job, hook, path)
  job.print([`##[group]Run '${path}'`, `shell: ${renderShell(shell.plan, shell.program)}`, '##[endgroup]'])
  keepEventFile(job)
  const files = makeFileCommands(job)
  const env = { ...hookEnvironment(job), ...files }
  const plan = { argv: shellArgv(shell.plan, shell.program, path), cwd: job.order.paths.workspace, env }
  const run = () => runStepProcess(job, plan, { files, collector: makeCollector({}), host: job.machine })
  const { outcome, reason } = await job.control.whileHolding(() => true, run)
  return reason === undefined
    ? { outcome }
    : { outcome, reason: `The job ${hook} hook of this machine failed: ${reason}` }
}

/** Fewer flags than a step gets: a hook that wants more sets them. */
const shellsByExtension: Readonly<
  Record<string, { readonly programs: readonly string[]; readonly args: readonly string[] }>
> = {
  '.sh': { programs: ['bash', 'sh'], args: ['-e', '{0}'] },
  '.ps1': { programs: ['pwsh', 'powershell'], args: ['-command', `. '{0}'`] },
}

function shellOf(job: JobRun, hook: JobHook, path: string): { readonly plan: ShellPlan; readonly program: string } {
  const variable = variableOf[hook]
  const known = shellsByExtension[extname(path)]
  if (known === undefined) throw hookInvalid({ variable, path, problem: 'it ends neither with .sh nor with .ps1' })
  if (!path.startsWith('/')) throw hookInvalid({ variable, path, problem: 'it is no absolute path' })
  if (!existsSync(path)) throw hookInvalid({ variable, path, problem: 'there is no such file' })
  const searched = hookPath(job)
  for (const name of known.programs) {
    const program = job.machine.findProgram(name, searched, job.order.paths.workspace)
    const plan = { program: name, args: known.args, extension: extname(path), prologue: '', epilogue: '' }
    if (program !== undefined) return { plan, program }
  }
  throw shellNotFound({ program: known.programs.join(' or '), path: searched })
}

function hookPath(job: JobRun): string {
  return joinPath(job.pathAdditions, job.machine.baseEnv['PATH'])
}

/** Paths are those of this machine, also when the steps of the job have others. */
function hookEnvironment(job: JobRun): Record<string, string> {
  const promised = { ...githubEnvironment(job.github), ...runnerEnvironment(job) }
  const env = Object.entries(promised).map(([name, value]) => [name, job.host.outside(value)] as const)
  return {
    CI: 'true',
    ...job.machine.baseEnv,
    GITHUB_ACTIONS: 'true',
    ...Object.fromEntries(env),
    SHIPWAY_RUN: job.order.runId,
    PATH: hookPath(job),
  }
}

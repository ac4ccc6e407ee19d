import { CommandSession } from '#core/step/command-session.ts'
import { addMatcher, removeMatcher } from './matcher/matcher-command.ts'
import type { JobRun } from './job-run.ts'
import type { StepHost } from './step-host.ts'

/** What a step has said so far, through files and through its output. */
export interface StepCollector {
  readonly outputs: Record<string, string>
  readonly state: Record<string, string>
  /** Why the step fails although its process may not: the first command that could not be carried out. */
  failure: string | undefined
}

/** A collector into which the step's outputs go, and its state where later stages of it want that. */
export function makeCollector(outputs: Record<string, string>, state: Record<string, string> = {}): StepCollector {
  return { outputs, state, failure: undefined }
}

/** The workflow commands of one step, connected to its job. */
export function openCommandSession(
  job: JobRun,
  collector: StepCollector,
  { env, host }: { readonly env: Readonly<Record<string, string>>; readonly host: StepHost },
): CommandSession {
  return new CommandSession(
    {
      setOutput: (name, value) => (collector.outputs[name] = value),
      saveState: (name, value) => (collector.state[name] = value),
      addMask: (text) => job.redactor.add(text),
      setVariable: (name, value) => (job.env[name] = value),
      addPath: (path) => job.addPath(path),
      addMatcher: (path) => addMatcher(job, path),
      removeMatcher: (which) => removeMatcher(job, which),
      annotate: (level, message, place) => job.annotate(level, message, place),
      fail: (reason) => (collector.failure ??= reason),
    },
    {
      workspace: host.inside(job.order.paths.workspace),
      isDebug: job.isDebug,
      allowsUnsecureCommands: env['ACTIONS_ALLOW_UNSECURE_COMMANDS']?.toLowerCase() === 'true',
    },
  )
}

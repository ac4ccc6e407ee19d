import type { ShellAnswer } from '#core/run/job-order.ts'
import { makeFileCommands } from './file-command-set.ts'
import { Stopped } from './job-control.ts'
import type { JobRun } from './job-run.ts'
import { workingDirectory } from './script-step.ts'
import type { StepCall } from './script-step.ts'
import { processEnvironment, stepPath } from './step-environment.ts'

/**
 * Asks the agent for a shell in the world of a step that has failed, and waits until it was left: the runner has no terminal, the command that the user
 * has typed has one. A cancel of the job ends the wait.
 */
export async function holdForShell(job: JobRun, call: StepCall, name: string): Promise<void> {
  if (job.host.kind === 'container') {
    job.print(['No shell is opened: the step ran in a container.'])
    return
  }
  const cwd = folderOf(job, call)
  const path = stepPath(job, call.env)
  const bash = job.host.findProgram('bash', path, cwd)
  const request = {
    kind: 'shell',
    number: job.stepNumber,
    name,
    argv: bash === undefined ? ['/bin/sh', '-i'] : [bash, '--noprofile', '--norc', '-i'],
    cwd,
    // Fresh files for file commands, so that programs that write to them work; nobody reads them afterwards.
    env: processEnvironment(job, call.frame, call.env, call.step.id, makeFileCommands(job)),
  } as const
  try {
    const wait = async () =>
      job.control.stoppable((stop) => job.world.channel.request(job.tag, request, () => undefined, stop))
    const answer = (await job.control.whileHolding(() => !job.control.isCancelled, wait)) as unknown as ShellAnswer
    if (!answer.isOpened) job.print([`No shell is opened: ${answer.why}`])
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
}

function folderOf(job: JobRun, call: StepCall): string {
  try {
    return workingDirectory(job, call)
  } catch {
    return job.order.paths.workspace
  }
}

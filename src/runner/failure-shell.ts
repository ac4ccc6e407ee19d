import { reportError } from '#core/errors.ts'
import type { ShellAnswer } from '#core/run/job-order.ts'
import { makeFileCommands } from './file-command-set.ts'
import { Stopped } from './job-control.ts'
import type { JobRun } from './job-run.ts'
import { workingDirectory } from './script-step.ts'
import type { StepCall } from './script-step.ts'
import { processEnvironment } from './step-environment.ts'
import type { OfferShell } from './step-host.ts'

/**
 * Asks the agent for a shell in the world of a step that has failed, and waits until it was left: the runner has no terminal, the command that the user
 * has typed has one. A cancel of the job ends the wait.
 */
export async function holdForShell(job: JobRun, name: string, offerShell: OfferShell): Promise<void> {
  const hold = async (): Promise<string | undefined> => {
    const offer = await job.control.stoppable(offerShell)
    if ('why' in offer) return offer.why
    await using world = offer
    const { argv, cwd, env, place } = world
    const request = { kind: 'shell', number: job.stepNumber, name, argv, cwd, env, place } as const
    const answer = (await job.control.stoppable((stop) =>
      job.world.channel.request(job.tag, request, () => undefined, stop),
    )) as unknown as ShellAnswer
    return answer.isOpened ? undefined : answer.why
  }
  try {
    const why = await job.control.whileHolding(() => !job.control.isCancelled, hold)
    if (why !== undefined) job.print([`No shell is opened: ${why}`])
  } catch (error) {
    // What a shell is offered for has failed already: its own trouble changes nothing.
    if (!(error instanceof Stopped)) job.print([`No shell is opened: ${reportError(error).message}`])
  }
}

/** A shell where the processes of a step run. */
export function shellOf(job: JobRun, call: StepCall): OfferShell {
  return (stop) => {
    // Fresh files for file commands, so that programs that write to them work; nobody reads them afterwards.
    const env = processEnvironment(job, call.frame, call.env, call.step.id, makeFileCommands(job))
    return job.host.offerShell({ cwd: folderOf(job, call), env }, stop)
  }
}

function folderOf(job: JobRun, call: StepCall): string {
  try {
    return workingDirectory(job, call)
  } catch {
    return job.order.paths.workspace
  }
}

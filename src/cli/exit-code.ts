import type { InterruptSignal } from './world.ts'

/** Exit status of a command that was asked to end, as a shell would tell it: 128 and the number of the signal. */
export const exitOfSignal: Readonly<Record<InterruptSignal, number>> = { SIGINT: 130, SIGTERM: 143 }

/** Something would run or change: an answer, asked for with `--exit-code`. */
export const exitOfChange = 9

/** What each exit status means: the text of `shipway help exit-codes`, of every command's help and of the documentation. */
export const exitCodes: Readonly<Record<number, string>> = {
  0: 'done as asked; also when there was nothing to do',
  1: 'it ran and the answer is red: a step, a check, a gate or a deployment failed',
  2: 'the call or a file is wrong: unknown flag, invalid workflow, no repository',
  3: 'refused by a rule: not allowed here, locked, held, frozen',
  4: 'credentials are needed',
  5: 'a host did not answer or timed out; the same call may succeed later',
  8: 'it waits for a person: an approval, a lock, a hold',
  9: 'with `--exit-code` of `plan` and `plan-deploy` only: something would run, or change',
  130: 'interrupted by Ctrl-C',
  143: 'ended by SIGTERM',
}

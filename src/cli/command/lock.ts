import { flagInvalid } from '#core/known/cli.ts'
import { durationMsMax, parseDuration, renderDuration } from '#core/project/duration.ts'
import type { CommandPage } from '../command.ts'
import { addEnvironmentFlags, changeEnvironment } from '../environment-call.ts'
import type { EnvironmentFlags } from '../environment-call.ts'
import type { Session } from '../session.ts'

interface Flags extends EnvironmentFlags {
  readonly for?: string
}

/** A shorter lock is over before anybody meets it. Milliseconds. */
const lockMsMin = 1000

export const page: CommandPage = {
  description:
    'Lets nobody deploy to an environment until it is unlocked or the time is over. What is asked for meanwhile waits, and says who locked it and why. A lock stops people and automation alike. To keep automation alone away, nothing is needed after a failure: a deployment that failed or was rolled back leaves a hold, which `shipway resume` lifts, and people may still deploy by hand.',
  examples: [
    { command: 'shipway lock production --reason "database move"', purpose: 'until somebody unlocks it' },
    { command: 'shipway lock production --for 2h --reason "launch"', purpose: 'for two hours' },
  ],
  exits: [0, 2, 3],
  define: (command, act) => {
    addEnvironmentFlags(command)
    command.option('--for <time>', 'how long: 30m, 2h, 3d (default: until it is unlocked)').action(act(lock))
  },
}

async function lock(session: Session, name: string, flags: Flags): Promise<number> {
  const forMs = flags.for === undefined ? undefined : lockMs(flags.for)
  const until = forMs === undefined ? undefined : session.world.now() + forMs
  const done =
    until === undefined
      ? `is locked: nobody deploys there, by hand neither; \`shipway unlock ${name}\` lifts it`
      : `is locked until ${new Date(until).toISOString()}: nobody deploys there, by hand neither`
  return changeEnvironment(session, { action: 'lock', done, ...(until === undefined ? {} : { until }) }, name, flags)
}

function lockMs(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= lockMsMin) return ms
  const range = `from ${renderDuration(lockMsMin)} to ${renderDuration(durationMsMax)}`
  throw flagInvalid({ flag: '--for', value: text, expected: `a time ${range}, such as 30m, 2h or 3d` })
}

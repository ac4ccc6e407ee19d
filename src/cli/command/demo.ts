import type { CommandPage } from '../command.ts'
import { exitOfSignal } from '../exit-code.ts'
import type { Session } from '../session.ts'
import type { InterruptSignal } from '../world.ts'

interface Flags {
  readonly dir?: string
  readonly keep?: boolean
  readonly yes?: boolean
}

export const page: CommandPage = {
  description:
    'Plays the whole story on this machine with a small real service: a commit is tested, sealed, staged, verified, approved and put into production; a failing test stops the next one; an unhealthy one puts itself back; production is rolled back under load. No root, no Docker, no network.',
  examples: [
    { command: 'shipway demo', purpose: 'about a minute, in a scratch folder' },
    { command: 'shipway demo --keep', purpose: 'leave the services running, to look around' },
  ],
  exits: [0, 1, 2, 130, 143],
  define: (command, act) => {
    command
      .option('--dir <folder>', 'new folder to work in, kept at the end (default: a scratch folder)')
      .option('--keep', 'leave the services running and the folder in place')
      .option('-y, --yes', 'approve without asking')
      .action(act(demo))
  },
}

async function demo(session: Session, flags: Flags): Promise<number> {
  const stop = new AbortController()
  const { world } = session
  let interruptedBy: InterruptSignal | undefined
  const release = world.onInterrupt((signal) => {
    // Leaving now would leave services behind, and the clean-up has an end of its own.
    if (interruptedBy !== undefined)
      session.say('Still stopping what the demo started: it takes half a minute at most.')
    interruptedBy ??= signal
    stop.abort()
  })
  try {
    const exit = await session.services.demo(
      world,
      {
        keep: flags.keep ?? false,
        yes: flags.yes ?? false,
        json: session.isJson,
        ...(flags.dir === undefined ? {} : { directory: flags.dir }),
      },
      stop.signal,
    )
    return exit === exitOfSignal.SIGINT && interruptedBy !== undefined ? exitOfSignal[interruptedBy] : exit
  } finally {
    release()
  }
}

import type { CommandPage } from '../command.ts'
import type { Session } from '../session.ts'

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
  exits: [0, 1, 2, 130],
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
  const release = world.onInterrupt(() => {
    if (stop.signal.aborted) world.exit(130)
    stop.abort()
  })
  try {
    return await session.services.demo(
      world,
      {
        keep: flags.keep ?? false,
        yes: flags.yes ?? false,
        json: session.isJson,
        ...(flags.dir === undefined ? {} : { directory: flags.dir }),
      },
      stop.signal,
    )
  } finally {
    release()
  }
}

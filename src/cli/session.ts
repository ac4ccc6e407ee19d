import { resolve } from 'node:path'
import { makePalette } from './palette.ts'
import type { Palette } from './palette.ts'
import type { CliServices } from './services.ts'
import type { CliWorld } from './world.ts'

/** Flags that every command has. */
export interface GlobalOptions {
  readonly C?: string
  readonly home?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
  readonly debug?: boolean
}

/** One call of one command: the world as the global flags shape it. */
export interface Session {
  readonly world: CliWorld
  readonly services: CliServices
  /** Folder that the command works on: `-C`, else the current one. Absolute. */
  readonly directory: string
  /** State home. Absolute. */
  readonly home: string
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isDebug: boolean
  readonly out: Palette
  readonly err: Palette
  /** A result, with its line end. */
  readonly print: (text: string) => void
  /** A versioned document as the only result. */
  readonly printJson: (document: unknown) => void
  /** Progress and remarks, silent with `--quiet`. */
  readonly say: (text: string) => void
  /** Something that should worry the reader, never silent. */
  readonly warn: (text: string) => void
}

export function openSession(world: CliWorld, options: GlobalOptions): Session {
  const directory = resolve(world.cwd, options.C ?? '.')
  const err = makePalette(world, world.stderrIsTTY, options.color)
  const isQuiet = options.quiet ?? false
  return {
    world,
    services: world.services,
    directory,
    home: stateHome(world, options.home),
    isJson: options.json ?? false,
    isQuiet,
    isDebug: options.debug ?? false,
    out: makePalette(world, world.isTTY, options.color),
    err,
    print: (text) => world.stdout.write(`${text}\n`),
    printJson: (document) => world.stdout.write(`${renderDocument(document, world.isTTY)}\n`),
    say: (text) => {
      if (!isQuiet) world.stderr.write(`${text}\n`)
    },
    warn: (text) => world.stderr.write(`${err.paint('yellow', 'warning:')} ${text}\n`),
  }
}

/** Names of members that hold a moment; as numbers they are milliseconds since 1970. */
const timeNames = /^(?:at|since|until|\w+At)$/

/** A document as text: indented for a person, one line for a program, and every moment in RFC 3339 for both. */
export function renderDocument(document: unknown, isIndented: boolean): string {
  const exact = (name: string, value: unknown): unknown =>
    typeof value === 'number' && timeNames.test(name) ? new Date(value).toISOString() : value
  return JSON.stringify(document, exact, isIndented ? 2 : undefined)
}

/** `--home`, else `$SHIPWAY_HOME`, else `/var/lib/workflow` for root, else `$XDG_STATE_HOME/workflow`. */
export function stateHome(world: Pick<CliWorld, 'env' | 'cwd' | 'isRoot'>, flag?: string): string {
  const { env, cwd } = world
  const named = flag ?? nonEmpty(env['SHIPWAY_HOME'])
  if (named !== undefined) return resolve(cwd, named)
  if (world.isRoot) return '/var/lib/workflow'
  const state = nonEmpty(env['XDG_STATE_HOME'])
  return state === undefined ? resolve(env['HOME'] ?? cwd, '.local/state/workflow') : resolve(state, 'workflow')
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

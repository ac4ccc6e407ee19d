import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { runCli } from '#cli/program.ts'
import type { CliServices } from '#cli/services.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import type { CliWorld } from '#cli/world.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { systemGit } from '#adapters/git/git.ts'
import { migrate } from '#store/migrate.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'

/** A moment that all golden screens are taken at: 2026-11-21T12:00:00Z. */
export const goldenNow = 1_795_262_400_000

export interface CliOptions {
  readonly isTTY?: boolean
  readonly width?: number
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly services?: Partial<CliServices>
}

export interface CliEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A scratch folder with a state home beside a project, and the command line as a function on it. */
export interface CliRig extends AsyncDisposable {
  readonly folder: string
  readonly home: string
  readonly project: string
  run(argv: readonly string[], options?: CliOptions): Promise<CliEnd>
  write(path: string, text: string): Promise<void>
  /** The home's store, open for writing; closed by the caller. */
  openStore(): Promise<SqlDriver>
}

/** Everything of the command line is real but the agent and git, which a test names where it needs them. */
export async function startCliRig(): Promise<CliRig> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'shipway-cli-')))
  const home = join(folder, 'home')
  const project = join(folder, 'web')
  await mkdir(home)
  await mkdir(project)
  return {
    folder,
    home,
    project,
    run: (argv, options = {}) => runInWorld({ home, project }, argv, options),
    write: async (path, text) => {
      await mkdir(dirname(join(project, path)), { recursive: true })
      await writeFile(join(project, path), text)
    },
    openStore: async () => {
      const store = await openSqlite({ path: join(home, 'state.db') })
      await migrate(store)
      return store
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** What git would say of a clean repository with one commit. */
export function someRepository(root: string, more: Partial<RepositoryFacts> = {}): RepositoryFacts {
  return {
    root,
    sha: '8556dce0f1e2d3c4b5a6978877665544332211ff',
    ref: 'refs/heads/main',
    tags: [],
    changes: [],
    defaultBranch: 'main',
    repositoryName: 'acme/web',
    author: 'ada',
    message: 'Say hello',
    changedFiles: ['server.js'],
    ...more,
  }
}

async function runInWorld(
  place: { readonly home: string; readonly project: string },
  argv: readonly string[],
  options: CliOptions,
): Promise<CliEnd> {
  const output = { stdout: '', stderr: '' }
  const isTTY = options.isTTY ?? false
  const world: CliWorld = {
    version: '0.1.0 (8556dce)',
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    stdin: Readable.from(options.input === undefined ? [] : [options.input]),
    env: { SHIPWAY_HOME: place.home, SHIPWAY_ACTOR: 'ada', HOME: place.home, ...options.env },
    now: () => goldenNow,
    isTTY,
    stderrIsTTY: isTTY,
    stdinIsTTY: options.input !== undefined,
    width: options.width ?? 100,
    cwd: place.project,
    isRoot: false,
    machine: { os: 'linux', arch: 'x64' },
    onInterrupt: () => () => undefined,
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
    services: { ...offline(place.home), ...options.services },
  }
  const code = await runCli(argv, world)
  return { code, ...output }
}

/** Services that reach nothing but the store of the home. */
function offline(home: string): CliServices {
  const refuse = (name: string) => () => Promise.reject(new Error(`This test gave no ${name}.`))
  return {
    git: systemGit,
    openStore: async () => openSqlite({ path: join(home, 'state.db'), readOnly: true }).catch(() => undefined),
    signTicket: async () => undefined,
    agentClient: refuse('agentClient'),
    prepareAgent: async () => undefined,
    agentStatus: async () => ({ isAlive: true }),
    askQuality: refuse('askQuality'),
    askReviews: refuse('askReviews'),
    actions: refuse('actions'),
    describeRepository: refuse('describeRepository'),
    resolveRef: async () => undefined,
    commitTime: async () => ({ at: 0, place: 1 }),
    mergeBase: async () => undefined,
    changedSince: async () => undefined,
    snapshotTree: refuse('snapshotTree'),
    prune: refuse('prune'),
    blobs: refuse('blobs'),
    writeReleaseArchive: refuse('writeReleaseArchive'),
    readReleaseArchive: refuse('readReleaseArchive'),
    // Targets that were never deployed to.
    inspectTargets: async (_, { targets }) =>
      targets.map((target) => ({ target, state: { kind: 'known', releases: [] } })),
    askHealth: async () => undefined,
    missingFolders: async () => [],
    demo: refuse('demo'),
  }
}

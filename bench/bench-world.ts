import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { layOutPackage } from '../tools/lay-out-package.ts'

const root = join(import.meta.dirname, '..')
const node = join(root, 'node_modules/node/bin/node')

/** What every case of the bench works with. All of it lies in one temporary folder, which goes when the bench ends. */
export interface BenchWorld {
  readonly folder: string
  /** The pinned Node. */
  readonly node: string
  /** The launcher of an installed package: `node_modules/shipway/bin/shipway`, with its bundle. */
  readonly shipway: string
  /** Environment for every process: own HOME, no colour, nothing of the caller's CI. */
  readonly env: NodeJS.ProcessEnv
  readonly rounds: number
  /** Starts a program, waits, and fails with its output unless it ends with 0. */
  readonly run: (file: string, args: readonly string[], options?: RunOptions) => Promise<string>
  /** A git repository with one commit that holds these files. */
  readonly repository: (files: Readonly<Record<string, string>>) => Promise<string>
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Called as soon as the process is there. */
  readonly onStart?: (pid: number) => void
}

/** Lays out the package as npm installs it, from a bundle of today's source. */
export async function openBenchWorld(rounds: number): Promise<BenchWorld & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-bench-'))
  const shipway = await layOutPackage(join(folder, 'installed/node_modules'))
  await mkdir(join(folder, 'home'))

  const { PATH, LANG } = process.env
  const identity = {
    GIT_AUTHOR_NAME: 'Bench',
    GIT_AUTHOR_EMAIL: 'bench@example.org',
    GIT_COMMITTER_NAME: 'Bench',
    GIT_COMMITTER_EMAIL: 'bench@example.org',
  }
  const env = { PATH, LANG, HOME: join(folder, 'home'), NO_COLOR: '1', ...identity }
  const run = (file: string, args: readonly string[], options: RunOptions = {}) =>
    runProgram(file, args, { cwd: folder, env, ...options })
  return {
    folder,
    node,
    shipway,
    env,
    rounds,
    run,
    repository: (files) => makeRepository(files, { folder, run }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

async function makeRepository(
  files: Readonly<Record<string, string>>,
  world: Pick<BenchWorld, 'folder' | 'run'>,
): Promise<string> {
  const folder = await mkdtemp(join(world.folder, 'repository-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  // gitlab-ci-local asks for a remote; nobody ever talks to this one.
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['remote', 'add', 'origin', 'git@example.invalid:bench/bench.git'],
    ['add', '.'],
    ['commit', '-q', '-m', 'Measured'],
  ]) {
    await world.run('git', args, { cwd: folder })
  }
  return folder
}

/** The end of an output is what explains a failure. Bytes. */
const outputLengthMax = 64 * 1024

function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions & { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'] })
    // Kept as it comes, and only the last of it: reading must not cost more than what is measured.
    const chunks: Buffer[] = []
    let length = 0
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        while (length - (chunks[0]?.length ?? 0) > outputLengthMax) length -= chunks.shift()?.length ?? 0
      })
    }
    if (child.pid !== undefined) options.onStart?.(child.pid)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString('utf8')
      if (code === 0) resolve(output)
      else reject(new Error(`${[file, ...args].join(' ')} ended with ${code ?? signal}:\n${output}`))
    })
  })
}

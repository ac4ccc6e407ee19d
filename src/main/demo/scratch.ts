import { randomBytes, randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { demoFolderInUse, demoFolderUnwritable, demoPortsMissing } from '#core/known/demo.ts'
import { replaceOnce } from './commit.ts'

/** One place that a release can be at: a folder of this machine and a port of its own. */
export interface DemoTarget {
  readonly folder: string
  /** With a slash at its end. */
  readonly url: string
}

/** Everything that the demo makes, below one folder. */
export interface Scratch {
  readonly folder: string
  /** Made by the demo and so removed by it; a folder that `--dir` named stays. */
  readonly isOwn: boolean
  /** A git repository with the example service. */
  readonly repository: string
  /** SHIPWAY_HOME. */
  readonly home: string
  readonly staging: DemoTarget
  readonly production: DemoTarget
  /** Stands in the environment of every process that the demo starts, so that it finds them, and only them. */
  readonly marker: string
}

/** How the folders begin that demos make in the folder for temporary files. */
export const scratchPrefix = 'shipway-demo-'

/** Below the range from which the kernel takes ports for outgoing connections, so that nobody takes one meanwhile. */
const portRange = { from: 20_000, to: 32_000 }
const portTriesMax = 200
/** What a working copy of the example may hold besides its source. */
const notSource = new Set(['dist', 'reports', 'run', 'targets', 'node_modules'])

/** Makes the folder and fills it with the example, its ports and its targets; commits nothing yet. */
export async function makeScratch(directory: string | undefined): Promise<Scratch> {
  const folder = await writable(directory ?? tmpdir(), () => makeFolder(directory))
  const [stagingPort, productionPort] = await freePorts()
  const scratch: Scratch = {
    folder,
    isOwn: directory === undefined,
    repository: join(folder, 'hello-service'),
    home: join(folder, 'home'),
    staging: { folder: join(folder, 'targets', 'staging'), url: `http://127.0.0.1:${stagingPort}/` },
    production: { folder: join(folder, 'targets', 'production'), url: `http://127.0.0.1:${productionPort}/` },
    marker: randomBytes(12).toString('hex'),
  }
  try {
    await writable(folder, () => copyExample(scratch))
    await writeProjectFile(scratch)
  } catch (error) {
    await removeScratch(scratch)
    throw error
  }
  return scratch
}

export async function removeScratch(scratch: Scratch): Promise<void> {
  if (scratch.isOwn) await rm(scratch.folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Folder of the package, from the source as well as from the bundle. */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'bin', 'shipway'))) {
    if (dirname(folder) === folder) throw new Error(`bin/shipway is in no folder above ${import.meta.dirname}`)
    folder = dirname(folder)
  }
  return folder
}

async function makeFolder(directory: string | undefined): Promise<string> {
  if (directory === undefined) return mkdtemp(join(await realpath(tmpdir()), scratchPrefix))
  const folder = resolve(directory)
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw demoFolderInUse({ folder })
  return realpath(folder)
}

/** Turns what the system says about a folder into an error for people. */
async function writable<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw demoFolderUnwritable({ folder, problem: error.message, cause: error })
  }
}

async function copyExample(scratch: Scratch): Promise<void> {
  const source = join(packageRoot(), 'examples', 'hello-service')
  const filter = (path: string): boolean => !notSource.has(path.slice(source.length + 1))
  await cp(source, scratch.repository, { recursive: true, filter })
}

/** The example's own shipway.yml, with this machine's ports and folders in it. */
async function writeProjectFile(scratch: Scratch): Promise<void> {
  const file = join(scratch.repository, 'shipway.yml')
  let text = await readFile(file, 'utf8')
  const examplePorts = { staging: '4801', production: '4802' }
  for (const name of ['staging', 'production'] as const) {
    text = replaceOnce(text, `./targets/${name}`, JSON.stringify(scratch[name].folder))
    text = text.replaceAll(examplePorts[name], new URL(scratch[name].url).port)
  }
  await writeFile(file, text)
}

async function freePorts(): Promise<readonly [number, number]> {
  const found = new Set<number>()
  for (let tries = 0; tries < portTriesMax; tries += 1) {
    const port = randomInt(portRange.from, portRange.to)
    if (await isFree(port)) found.add(port)
    const [first, second] = found
    if (first !== undefined && second !== undefined) return [first, second]
  }
  throw demoPortsMissing({ tried: portTriesMax })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer()
    server.once('error', () => answer(false))
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)))
  })
}

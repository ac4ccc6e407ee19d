import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { program } from '../rig/program.ts'
import { until } from '../rig/web-fleet.ts'

interface Played {
  readonly child: ChildProcess
  /** Everything that it printed so far. */
  readonly printed: () => string
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly output: string }>
}

type Moment = readonly [when: string, text: RegExp]

/** To come there takes as long as the whole story: `npm run test:long`. */
const lastAct: readonly Moment[] =
  process.env['SHIPWAY_TEST_LONG'] === 'yes' ? [['while production goes back', /rollback [^\n]*→ production/]] : []

/** Everything that the demo makes is below this folder, because it is its TMPDIR. */
let folder: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'shipway-demo-story-')))
})
afterEach(async () => {
  for (const pid of await processesAt(folder)) process.kill(pid, 'SIGKILL')
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

describe('shipway demo', { tags: ['slow'], timeout: 180_000 }, () => {
  it('plays the whole story, twice at the same time, and leaves nothing behind but what --keep asks for', async () => {
    const [plain, keeping] = await Promise.all([demo().ended, demo(['--keep', '--json']).ended])

    expect(plain.output).toMatch(/\d+ requests ran through it, 0 failed/)
    expect(plain.output).toContain('The whole story was played and checked')
    expect(plain.code).toBe(0)
    expect({ code: keeping.code, output: keeping.output }).toMatchObject({ code: 0 })
    const kept = JSON.parse(keeping.stdout)
    expect(kept).toMatchObject({ apiVersion: 'v1', kind: 'Demo', isKept: true, rollback: { failures: 0 } })
    expect(await readdir(folder)).toEqual([basename(kept.folder)])
    expect(await processesAt(folder)).toEqual(await processesAt(kept.folder))
    // It says how they are stopped, and so they are.
    for (const [environment, url] of Object.entries<string>(kept.urls)) {
      expect(await (await fetch(new URL('version', url))).json()).toMatchObject({ environment })
      expect(plain.output).not.toContain(url)
      const stop = join(kept.folder, 'targets', environment, 'current', 'ops', 'service.js')
      expect(keeping.output).toContain(`node ${stop} stop`)
      expect(await exitOf(spawn(process.execPath, [stop, 'stop'], { stdio: 'ignore' }))).toBe(0)
    }
    expect(await processesAt(folder)).toEqual([])
  })

  it.for<Moment>([
    ['while a job runs', /test started/],
    ['while production is deployed', /production started/],
    ...lastAct,
  ])('stops at once and in order on Ctrl-C %s', async ([, moment]) => {
    const played = demo()
    await printed(played, moment)
    played.child.kill('SIGINT')
    const { code, output } = await played.ended

    expect({ code, output }).toMatchObject({ code: 130 })
    expect(await processesAt(folder)).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it.for<Moment>([
    ['while a job runs', /test started/],
    ['while both services are up', /2\. A test fails/],
    ...lastAct,
  ])('leaves no process and no folder when it is killed %s', async ([, text]) => {
    const played = demo()
    await printed(played, text)
    played.child.kill('SIGKILL')
    await exitOf(played.child)

    await until(
      'nothing is left',
      async () => (await processesAt(folder)).length + (await readdir(folder)).length === 0,
    )
  })

  it('clears what an earlier demo has left when its guard was killed too', async () => {
    const left = join(folder, 'shipway-demo-left')
    await mkdir(left)
    const owner = { pid: 2 ** 22 + 1, startedAt: '1', marker: 'a'.repeat(24) }
    await writeFile(join(left, 'owner.json'), JSON.stringify(owner))
    const service = spawn('sleep', ['600'], { env: { DEMO_OF_SHIPWAY: owner.marker, HOME: folder }, stdio: 'ignore' })
    const ended = exitOf(service)
    const others = join(folder, 'shipway-demo-of-nobody')
    await mkdir(others)

    const played = demo()
    await printed(played, /\$ cd /)
    played.child.kill('SIGINT')
    await played.ended

    expect(await ended).toBeNull()
    expect(await readdir(folder)).toEqual(['shipway-demo-of-nobody'])
  })

  it('fails and says what it expected when something is not as it tells', async () => {
    // The service listens where nobody asks: it is never healthy.
    const { code, output } = await demo([], { BIND_ADDRESS: '127.0.0.2' }).ended

    expect(output).toContain('The demo expected exit status 8 from `shipway run push --no-logs`, and found 1.')
    expect(output).not.toContain('The whole story was played')
    expect(code).toBe(1)
    expect(await processesAt(folder)).toEqual([])
  })

  it('says that there is no git', async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    for (const name of ['sh', 'readlink']) await symlink(await whereIs(name), join(bin, name))

    const { code, output } = await demo([], { PATH: bin }).ended

    expect(output).toContain('(code GIT_MISSING')
    expect(code).toBe(2)
  })

  it('does not write into a folder that holds something', async () => {
    const taken = join(folder, 'taken')
    await mkdir(taken)
    await writeFile(join(taken, 'file'), '')

    const { code, output } = await demo(['--dir', taken]).ended

    expect(output).toContain('DEMO_FOLDER_IN_USE')
    expect(code).toBe(2)
    expect(await readdir(taken)).toEqual(['file'])
  })
})

/** Starts the command as a shell would, without what a test runner adds to the environment. */
function demo(args: readonly string[] = [], more: Readonly<Record<string, string>> = {}): Played {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH, NODE_COMPILE_CACHE, HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', ...more }
  const child = spawn(program, ['demo', ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, output }))
  return { child, printed: () => output, ended }
}

async function printed(played: Played, text: RegExp): Promise<void> {
  const isOver = played.ended.then(() => true)
  while (!text.test(played.printed())) {
    const wait = new AbortController()
    const more = [played.child.stdout, played.child.stderr].map(async (stream) => {
      if (stream !== null) await once(stream, 'data', { signal: wait.signal }).catch(() => undefined)
      return false
    })
    const ended = await Promise.race([...more, isOver])
    wait.abort()
    if (ended) throw new Error(`the demo ended before it printed ${text}:\n${played.printed()}`)
  }
}

async function whereIs(name: string): Promise<string> {
  for (const place of (process.env['PATH'] ?? '').split(delimiter)) {
    if (existsSync(join(place, name))) return realpath(join(place, name))
  }
  throw new Error(`there is no ${name} on PATH`)
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit')
  return code as number | null
}

/** Processes that name the folder in their command, work in it, or were started with it in their environment. */
async function processesAt(path: string): Promise<readonly number[]> {
  if (!existsSync('/proc/self/environ')) return []
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const found = pids.map(async (pid) => {
    const facts = ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''))
    const cwd = realpath(`/proc/${pid}/cwd`).catch(() => '')
    const texts = await Promise.all([...facts, cwd])
    return texts.some((text) => text.includes(path)) ? [pid] : []
  })
  return (await Promise.all(found)).flat()
}

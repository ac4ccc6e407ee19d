import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openSqlite } from './open-sqlite.ts'

const writer = join(import.meta.dirname, '../../../test/rig/store-writer.ts')
const killCount = Number(process.env['SHIPWAY_TEST_KILLS'] ?? 50)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shipway-crash-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

// kill -9 tests the order of writes, not fsync: the page cache survives the process. What it shows is that nothing is
// acknowledged before its commit, that a transaction is whole or absent, and that the log is recovered.
test(`${killCount} kills lose nothing that was acknowledged and leave nothing half`, { tags: ['slow'] }, async () => {
  const path = join(folder, 'state.db')
  let acknowledged = 0

  for (let kill = 1; kill <= killCount; kill += 1) {
    const acks = await killAfter(path, 1 + ((kill * 37) % 150))
    acknowledged += acks.length

    await using store = await openSqlite({ path })
    const present = new Set((await store.query<{ n: number }>('select n from a')).map((row) => row.n))
    expect(acks.filter((n) => !present.has(n))).toEqual([])
    const torn =
      'select n from a where n not in (select n from b) union all select n from b where n not in (select n from a)'
    expect(await store.query(torn)).toEqual([])
    expect(await store.query('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
  }

  expect(acknowledged).toBeGreaterThan(killCount * 10)
})

/** Lets the writer run until it has acknowledged some commits, kills it, and gives all numbers that it acknowledged. */
async function killAfter(path: string, count: number): Promise<number[]> {
  const child = spawn(process.execPath, [writer, path, 'pairs'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const acks: number[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    acks.push(Number(line))
    if (acks.length === count) child.kill('SIGKILL')
  }
  await exited
  expect(child.signalCode).toBe('SIGKILL')
  return acks
}

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0

test.skipIf(!canMount)(
  'a full disk is a known error, keeps what was committed, and is over when there is room (needs unshare -rm)',
  { tags: ['slow'] },
  async () => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    // The script makes a disk of 4 MB with a ballast of 1 MB, and removes the ballast when the writer has told that it is full.
    const script = `mount -t tmpfs -o size=4m tmpfs "$1" && head -c 1000000 /dev/zero > "$1/ballast" &&
      { read -r line < "$4"; rm "$1/ballast"; echo go; cat; } | "$2" "$3" "$1/state.db" fill`
    const signal = join(folder, 'signal')
    spawnSync('mkfifo', [signal])
    const child = spawn('unshare', ['-rm', 'sh', '-c', script, 'full', disk, process.execPath, writer, signal], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    onTestFinished(() => killGroup(child))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

    const full = String((await lines.next()).value)
    spawnSync('sh', ['-c', 'echo room > "$1"', 'room', signal], { timeout: 10_000 })
    const after = String((await lines.next()).value)

    const [committed, code] = full.split(' ')
    expect(code).toBe('STORE_DISK_FULL')
    expect(Number(committed)).toBeGreaterThan(100)
    expect(after).toBe(`ok ${Number(committed) + 1} ${Number(committed) + 1}`)
    expect(existsSync(join(disk, 'state.db'))).toBe(false)
  },
)

/** The writer and the shell around it, also when the test has failed half-way. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // they have ended by themselves
  }
}

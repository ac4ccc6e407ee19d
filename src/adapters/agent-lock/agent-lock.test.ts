import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeAgentLock } from './agent-lock.ts'

const holder = join(import.meta.dirname, '../../../test/rig/lock-holder.ts')

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shipway-lock-'))
  path = join(folder, 'lock.db')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a process that takes the lock, and gives the first line that it tells. */
async function startHolder(...args: string[]): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [holder, path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [said] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, said: said.trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

test('nobody else may read the file, because whoever may read it may lock it', async () => {
  await using lock = await takeAgentLock(path)

  expect(lock).toBeDefined()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('The lock belongs to one, also within one process, until it is given back', async () => {
  const first = await takeAgentLock(path)

  expect(first).toBeDefined()
  expect(await takeAgentLock(path)).toBeUndefined()
  expect((await startHolder()).said).toBe('refused')

  await first?.[Symbol.asyncDispose]()
  await first?.[Symbol.asyncDispose]()
  await using second = await takeAgentLock(path)
  expect(second).toBeDefined()
})

test('A holder that is killed leaves the lock free at once, every time', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { child, said } = await startHolder()
    expect(said).toBe('held')
    expect(await takeAgentLock(path)).toBeUndefined()

    await kill(child)

    await using lock = await takeAgentLock(path)
    expect(lock).toBeDefined()
  }
})

test('A process that outlives the holder does not keep the lock', async () => {
  const { child, said } = await startHolder('child')
  const survivor = Number(said.slice('held '.length))

  try {
    await kill(child)

    expect(() => process.kill(survivor, 0)).not.toThrow()
    await using lock = await takeAgentLock(path)
    expect(lock).toBeDefined()
  } finally {
    process.kill(survivor, 'SIGKILL')
  }
})

test('A lock file that cannot be made is told apart from one that is held', async () => {
  mkdirSync(join(folder, 'taken.db'))

  const refusal = { code: 'AGENT_LOCK_UNUSABLE' }
  await expect(takeAgentLock(join(folder, 'no', 'lock.db'))).rejects.toMatchObject(refusal)
  await expect(takeAgentLock(join(folder, 'taken.db'))).rejects.toMatchObject(refusal)
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findProgram, requireSystem } from './system.ts'

const nowhere = { env: { PATH: '/nonexistent' }, isRoot: false }

test('a part that is there needs nothing', async () => {
  expect(await requireSystem(['git'], { env: process.env, isRoot: false })).toBeUndefined()
})

test('a missing part is a reason to skip, which names the package', async () => {
  expect(await requireSystem(['git', 'openssh-client'], nowhere)).toContain('apt-get install git openssh-client')
})

test('a missing part fails under CI, where nothing may be left out', async () => {
  const machine = { ...nowhere, env: { ...nowhere.env, CI: 'true' } }

  await expect(requireSystem(['git'], machine)).rejects.toThrow('CI may not skip')
})

test('a program counts only when it can be executed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-system-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const machine = { env: { PATH: `/nonexistent:${folder}` }, isRoot: false }

  await writeFile(join(folder, 'rare-program'), '', { mode: 0o644 })
  expect(findProgram('rare-program', machine)).toBeUndefined()

  await writeFile(join(folder, 'rarer-program'), '', { mode: 0o755 })
  expect(findProgram('rarer-program', machine)).toBe(join(folder, 'rarer-program'))
})

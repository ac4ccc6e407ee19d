import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mountSmallDisk, remountSmallDisk } from '../rig/small-disk.ts'
import { program } from '../rig/program.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = { '.github/workflows/ci.yml': 'on: push\njobs:\n  a: { runs-on: linux, steps: [{ run: echo hi }] }\n' }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shipway-output-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Calls the real command with its standard output going to a file or device. */
function callInto(
  file: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly stderr: string } {
  const fd = openSync(file, 'w')
  try {
    return spawnSync(program, ['--home', path.join(folder, 'home'), ...args], {
      cwd: folder,
      stdio: ['ignore', fd, 'pipe'],
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
  } finally {
    closeSync(fd)
  }
}

test.for([
  ['--version'],
  ['help'],
  ['help', 'exit-codes'],
  ['run', '--help'],
  ['completion', 'bash'],
  ['env', 'list', '--json'],
  ['ps', '--json'],
])('a result that cannot be written is an error: shipway %j', (args) => {
  const end = callInto('/dev/full', ...args)

  expect(end.status).toBe(1)
  expect(end.stderr).toContain('(code OUTPUT_LOST, exit 1)')
})

test('a failure keeps its own exit status when its document cannot be written', () => {
  const end = callInto('/dev/full', 'statos', '--json')

  expect(end.status).toBe(2)
  expect(end.stderr).toContain('(code OUTPUT_LOST, exit 1)')
})

test('a disk that takes only a part of the output is noticed', async ({ skip }) => {
  const disk = await mountSmallDisk(path.join(folder, 'disk'), 'size=4k')
  if (typeof disk === 'string') return skip(disk)
  await using _ = disk
  const mistakes = Array.from({ length: 50 }, (_, index) => `key${index}: 1`)
  writeFileSync(path.join(folder, 'shipway.yml'), mistakes.join('\n'))

  const end = callInto(path.join(folder, 'disk/list.json'), 'lint', '--json', 'shipway.yml')
  const whole = callInto(path.join(folder, 'list.json'), 'lint', '--json', 'shipway.yml')

  expect(whole).toMatchObject({ status: 2, stderr: '' })
  expect(readFileSync(path.join(folder, 'list.json')).length).toBeGreaterThan(4096)
  expect(end).toMatchObject({ status: 2, stderr: expect.stringContaining('OUTPUT_LOST') })
})

test('a reader that leaves is no failure', () => {
  const end = spawnSync('/bin/sh', ['-c', `"$1" help | head -n 1; "$1" completion bash | true`, 'sh', program], {
    encoding: 'utf8',
  })

  expect(end).toMatchObject({ status: 0, stderr: '' })
})

test('a home on a read-only disk is refused by name, by commands and by an agent', async ({ skip }) => {
  using repository = new Repository(workflow)
  for (const name of ['home', '.']) {
    const disk = await mountSmallDisk(path.join(folder, 'disk'), 'ro')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk
    await using shipway = new Shipway(path.join(folder, 'disk', name))
    for (const command of [['agent'], ['agent', '--until-quiet'], ['run']]) {
      const end = await shipway.call(repository.root, ...command)
      expect(end).toMatchObject({ status: 2, stderr: expect.stringContaining('(code HOME_NOT_WRITABLE, exit 2)') })
    }
    expect(await shipway.call(repository.root, 'ps')).toMatchObject({ status: 0 })
  }
})

test('a home that has become read-only is refused by an agent and by a run, and can still be read', async ({
  skip,
}) => {
  const disk = await mountSmallDisk(path.join(folder, 'disk'), 'size=20m')
  if (typeof disk === 'string') return skip(disk)
  await using _ = disk
  using repository = new Repository(workflow)
  await using shipway = new Shipway(path.join(folder, 'disk/home'))
  expect((await shipway.call(repository.root, 'run')).status).toBe(0)
  await remountSmallDisk(path.join(folder, 'disk'), 'ro')

  for (const command of ['agent', 'run']) {
    const end = await shipway.call(repository.root, command)
    expect(end).toMatchObject({ status: 2, stderr: expect.stringContaining('HOME_NOT_WRITABLE') })
  }
  expect(await shipway.call(repository.root, 'ps', '--all', '-q')).toMatchObject({ status: 0, stdout: /^run_/ })
  await remountSmallDisk(path.join(folder, 'disk'), 'rw')
})

test('a home that may not be looked into is no empty home', async () => {
  using repository = new Repository(workflow)
  for (const home of [path.join(repository.root, '.github/workflows/ci.yml/home'), folder.padEnd(300, 'x')]) {
    await using shipway = new Shipway(home)
    for (const command of [['ps'], ['status'], ['release', 'list']]) {
      const end = await shipway.call(repository.root, ...command)
      expect(end).toMatchObject({ status: 2, stderr: expect.stringContaining('(code HOME_NOT_READABLE, exit 2)') })
    }
  }
  expect(existsSync(folder)).toBe(true)
})

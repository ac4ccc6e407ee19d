import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPlainFile } from './plain-file.ts'
import { readWorkflows } from './workflow-source.ts'

let root = ''
const workflow = (name: string) => join(root, '.github/workflows', name)

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-plain-'))
  mkdirSync(join(root, '.github/workflows'), { recursive: true })
})
afterAll(() => rmSync(root, { recursive: true }))

test.for<readonly [title: string, make: (path: string) => void, problem: RegExp]>([
  ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path]), /it is no plain file/],
  ['a link to a device that never ends', (path) => symlinkSync('/dev/zero', path), /leads out of the project/],
  ['a file of a gigabyte', (path) => (writeFileSync(path, ''), truncateSync(path, 2 ** 30)), /1073741824 bytes/],
  ['a link that leads out of the project', (path) => symlinkSync('/etc/passwd', path), /leads out of the project/],
])('for a workflow file, %s is refused and not waited for', async ([, make, problem]) => {
  make(workflow('ci.yml'))
  try {
    await expect(readWorkflows(root, root, undefined)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(readWorkflows(root, root, undefined)).rejects.toThrow(problem)
  } finally {
    rmSync(workflow('ci.yml'))
  }
})

test('a link within the project and a file that is named are read', async () => {
  writeFileSync(join(root, 'real.yml'), 'on: push\n')
  symlinkSync(join(root, 'real.yml'), workflow('ci.yml'))
  expect((await readWorkflows(root, root, undefined)).map(({ text }) => text)).toEqual(['on: push\n'])
  expect(await readPlainFile(join(root, 'real.yml'))).toBe('on: push\n')
  await expect(readPlainFile(join(root, 'nowhere.yml'))).rejects.toThrow('ENOENT')
})

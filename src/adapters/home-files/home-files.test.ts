import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HomeFiles } from '#ports/home-files.ts'
import { openHomeFiles } from './home-files.ts'

let root: string
let files: HomeFiles

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'shipway-home-files-'))
  files = openHomeFiles(root)
  files.prepare()
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

describe('The files of a state home', () => {
  test('are for their owner only', () => {
    files.write('secrets/tk_1.json', '{}')
    expect(statSync(path.join(root, 'inbox')).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(root, 'secrets/tk_1.json')).mode & 0o777).toBe(0o600)
  })

  test('take a ticket once: a name that is there is never overwritten, and nothing half-written stays', () => {
    expect(files.putInbox('P1-a.json', 'first')).toBe(true)
    expect(files.putInbox('P1-a.json', 'second')).toBe(false)
    expect(readFileSync(path.join(root, 'inbox/P1-a.json'), 'utf8')).toBe('first')
    expect(files.list('tmp')).toEqual([])
  })

  test('list in the order of names, and an absent folder as empty', () => {
    for (const name of ['P3-c', 'P1-a', 'P2-b']) files.putInbox(name, '')
    expect(files.list('inbox')).toEqual(['P1-a', 'P2-b', 'P3-c'])
    expect(files.list('runs/run_1/tickets')).toEqual([])
  })

  test('tell who was faster: a file moves once', () => {
    files.putInbox('P1-a.json', 'x')
    expect(files.move('inbox/P1-a.json', 'processing/P1-a.json')).toBe(true)
    expect(files.move('inbox/P1-a.json', 'processing/P1-a.json')).toBe(false)
    expect(files.readText('processing/P1-a.json')).toBe('x')
  })

  test('refuse a path that leaves the home', () => {
    for (const escape of ['../other', '/etc/passwd', 'runs/../../x'])
      expect(() => files.absolute(escape)).toThrow('leaves the state home')
    expect(files.absolute('runs/../inbox')).toBe(path.join(root, 'inbox'))
  })

  test('read a growing file from an offset, and nothing of one that is not there', () => {
    files.write('runs/r/log', 'one\ntwo\n')
    expect(Buffer.from(files.readFrom('runs/r/log', 4, 100)).toString()).toBe('two\n')
    expect(Buffer.from(files.readFrom('runs/r/log', 0, 2)).toString()).toBe('on')
    expect(files.readFrom('runs/r/other', 0, 100)).toHaveLength(0)
  })

  test('do not read a file beyond its limit', () => {
    files.write('runs/r/big', 'x'.repeat(101))
    expect(files.readText('runs/r/big', 100)).toBeUndefined()
    expect(files.readText('runs/r/big', 101)).toHaveLength(101)
  })

  test('say that the home cannot be written when a file stands where the home should be', () => {
    const file = path.join(root, 'file')
    writeFileSync(file, '')
    expect(() => openHomeFiles(path.join(file, 'home')).prepare()).toThrow(
      expect.objectContaining({ code: 'HOME_NOT_WRITABLE' }),
    )
  })

  test.runIf(process.platform === 'linux')('say so at once when no folder can be made where the home should be', () => {
    expect(() => openHomeFiles('/proc/shipway/home').prepare()).toThrow(
      expect.objectContaining({ code: 'HOME_NOT_WRITABLE' }),
    )
  })

  test('ring when something is put into the inbox by hand', async () => {
    const rung = Promise.withResolvers<void>()
    using _watch = files.watchInbox(() => rung.resolve())
    writeFileSync(path.join(root, 'inbox/dropped.json'), '{}')
    await rung.promise
  })

  test('remove a folder with all that is in it', async () => {
    mkdirSync(path.join(root, 'runs/r/work/deep'), { recursive: true })
    await files.removeTree('runs/r/work')
    expect(files.list('runs/r')).toEqual([])
  })
})

import { execFile } from 'node:child_process'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyEdits, failingCommit, firstCommit, replaceOnce, secondCommit, unhealthyCommit } from './commit.ts'
import type { StoryCommit } from './commit.ts'
import { makeScratch, removeScratch } from './scratch.ts'
import type { Scratch } from './scratch.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch(undefined)
})
afterEach(() => removeScratch(scratch))

describe('the commits of the story', () => {
  it('are good, failing in a test, unhealthy only where they run, and good again', async () => {
    const seen = []
    for (const commit of [firstCommit, failingCommit, unhealthyCommit, secondCommit]) {
      seen.push(await tryCommit(commit))
    }

    expect(seen).toEqual([
      { testsPass: true, health: 200 },
      { testsPass: false, health: 200 },
      { testsPass: true, health: 500 },
      { testsPass: true, health: 200 },
    ])
  })

  it('fit a text only where it says what they expect, once', () => {
    expect(replaceOnce('a b c', 'b', '$&')).toBe('a $& c')
    expect(() => replaceOnce('a b b', 'b', 'x')).toThrow('stands 2 times')
    expect(() => replaceOnce('a', 'b', 'x')).toThrow('stands 0 times')
  })
})

describe('the scratch folder', () => {
  it('holds the source of the example and the ports and folders of its own targets', async () => {
    const text = await readFile(join(scratch.repository, 'shipway.yml'), 'utf8')

    for (const target of [scratch.staging, scratch.production]) {
      expect(text).toContain(`targets: ["${target.folder}"]`)
      expect(text).toContain(`PORT: '${new URL(target.url).port}'`)
      expect(text).toContain(`${target.url}healthz`)
    }
    expect(text).not.toMatch(/480[12]|\.\/targets/)
    expect(await readdir(scratch.repository)).toEqual(expect.arrayContaining(['.github', 'lib', 'ops', 'server.js']))
  })

  it('must be new or empty when it is named', async () => {
    await expect(makeScratch(scratch.folder)).rejects.toMatchObject({ code: 'DEMO_FOLDER_IN_USE' })
    expect(await readdir(scratch.folder)).toEqual(['hello-service'])
    await rm(scratch.repository, { recursive: true })
    await expect(makeScratch(scratch.folder)).resolves.toMatchObject({ folder: scratch.folder, isOwn: false })
  })
})

async function tryCommit(commit: StoryCommit): Promise<{ testsPass: boolean; health: number }> {
  await applyEdits(scratch.repository, commit.edits)
  const tests = ['app', 'greeting', 'health', 'release'].map((name) => `test/${name}.test.js`)
  // The tests of the example ask /healthz without the environment of a target; what a target answers is asked here.
  const health = `import { checkHealth } from './lib/health.js'; process.exit(checkHealth({ PORT: '1' }).healthy ? 0 : 1)`
  return {
    testsPass: (await node(['--test', ...tests])) === 0,
    health: (await node(['--input-type=module', '--eval', health])) === 0 ? 200 : 500,
  }
}

function node(args: readonly string[]): Promise<number> {
  const env = { PATH: process.env['PATH'] }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: scratch.repository, env }, (error) => resolve(error === null ? 0 : 1))
  })
}

import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = join(import.meta.dirname, 'shipway.ts')

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'shipway-compiled-'))
})
afterEach(() => {
  rmSync(home, { recursive: true, force: true })
})

/** One real call of the program in an environment of its own. */
async function callProgram(env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--version'], { env, cwd: home })
  expect(stdout).toMatch(/^shipway \d/)
}

test('what was compiled is kept for the next call, in a folder that is only its user’s', async () => {
  await callProgram({ HOME: home })

  const folder = join(home, '.cache/shipway/compiled')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).toHaveLength(1)
})

test('XDG_CACHE_HOME says where, and a place that Node was told of has precedence', async () => {
  const [xdg, nodes] = [join(home, 'xdg'), join(home, 'nodes')]
  mkdirSync(xdg)

  await callProgram({ HOME: home, XDG_CACHE_HOME: xdg })
  expect(existsSync(join(xdg, 'shipway/compiled'))).toBe(true)

  await callProgram({ HOME: home, NODE_COMPILE_CACHE: nodes })
  expect(existsSync(nodes)).toBe(true)
  expect(existsSync(join(home, '.cache'))).toBe(false)
})

test('nothing is kept where others may write, and none is missed', async () => {
  const folder = join(home, '.cache/shipway/compiled')
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o775)

  await callProgram({ HOME: home })
  await callProgram({})

  expect(readdirSync(folder)).toEqual([])
})

test.skipIf(process.getuid?.() !== 0)(
  'root who works with the HOME of somebody else leaves nothing there (needs root to be one)',
  async () => {
    chownSync(home, 65_534, 65_534)

    await callProgram({ HOME: home })

    expect(readdirSync(home)).toEqual([])
  },
)

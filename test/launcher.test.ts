import { execFile } from 'node:child_process'
import { chmod, copyFile, link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const launcher = join(import.meta.dirname, '..', 'bin', 'shipway')
const withNode = join(import.meta.dirname, '..', 'tools', 'with-node.mjs')
/** Prints what the launcher started, and how. */
const program = (name: string) =>
  `console.log(JSON.stringify({ program: '${name}', node: process.execPath, args: process.argv.slice(2) }))\n`

let folder: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'shipway launcher ')))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('bin/shipway', () => {
  test('runs the source in a git checkout, on the pinned Node, with the arguments as they are', async () => {
    await layOut({
      'app/.git/HEAD': '',
      'app/src/main/shipway.ts': program('source'),
      'app/dist/shipway.js': program('bundle'),
    })
    const node = await placeNode('app/node_modules/node/bin/node')

    const end = await run(join(folder, 'app/bin/shipway'), ['run', 'a b', '', '$HOME;"x"\n', '--', '-e'])

    expect(end).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(end.stdout)).toEqual({
      program: 'source',
      node,
      args: ['run', 'a b', '', '$HOME;"x"\n', '--', '-e'],
    })
  })

  test('runs the bundle in a checkout when SHIPWAY_DIST=1', async () => {
    await layOut({
      'app/.git/HEAD': '',
      'app/src/main/shipway.ts': program('source'),
      'app/dist/shipway.js': program('bundle'),
    })
    await placeNode('app/node_modules/node/bin/node')

    const end = await run(join(folder, 'app/bin/shipway'), [], { SHIPWAY_DIST: '1' })

    expect(JSON.parse(end.stdout)).toMatchObject({ program: 'bundle' })
  })

  test('runs from a relative path and through a chain of links, as `workflow` and as npm installs it', async () => {
    await layOut({ 'node_modules/shipway/dist/shipway.js': program('bundle') }, 'node_modules/shipway')
    const node = await placeNode('node_modules/node/bin/node')
    await mkdir(join(folder, 'node_modules/.bin'))
    await symlink('shipway', join(folder, 'node_modules/shipway/bin/workflow'))
    await symlink('../shipway/bin/workflow', join(folder, 'node_modules/.bin/workflow'))
    await symlink(join(folder, 'node_modules/.bin/workflow'), join(folder, 'elsewhere'))

    for (const [command, cwd] of [
      [join(folder, 'elsewhere'), '/'],
      ['node_modules/.bin/workflow', folder],
      ['./shipway', join(folder, 'node_modules/shipway/bin')],
    ] as const) {
      const end = await run(command, ['x'], {}, cwd)
      expect(JSON.parse(end.stdout), command).toEqual({ program: 'bundle', node, args: ['x'] })
    }
  })

  test('is found on PATH', async () => {
    await layOut({ 'app/dist/shipway.js': program('bundle') })
    await placeNode('app/node_modules/node/bin/node')

    const end = await run('shipway', [], { PATH: `${join(folder, 'app/bin')}:/usr/bin:/bin` })

    expect(JSON.parse(end.stdout)).toMatchObject({ program: 'bundle' })
  })

  test('prefers the Node nested in its own package over the one beside it', async () => {
    await layOut({ 'node_modules/shipway/dist/shipway.js': program('bundle') }, 'node_modules/shipway')
    await placeNode('node_modules/node/bin/node')
    const nested = await placeNode('node_modules/shipway/node_modules/node/bin/node')

    const end = await run(join(folder, 'node_modules/shipway/bin/shipway'))

    expect(JSON.parse(end.stdout)).toMatchObject({ node: nested })
  })

  test('falls back to a Node 24 on PATH', async () => {
    await layOut({ 'app/dist/shipway.js': program('bundle') })
    const node = await placeNode('path/node')

    const end = await run(join(folder, 'app/bin/shipway'), [], { PATH: `${dirname(node)}:/usr/bin:/bin` })

    expect(JSON.parse(end.stdout)).toMatchObject({ program: 'bundle', node })
  })

  test.for([
    ['too old', '#!/bin/sh\necho v20.20.2\n', 'node on PATH: v20.20.2'],
    ['of no known version', '#!/bin/sh\nexit 1\n', 'node on PATH: unknown'],
  ])('refuses a Node on PATH that is %s, and says how to get one', async ([, node, found]) => {
    await layOut({ 'app/dist/shipway.js': program('bundle'), 'path/node': node! })
    await chmod(join(folder, 'path/node'), 0o755)

    const end = await run(join(folder, 'app/bin/shipway'), [], { PATH: `${join(folder, 'path')}:/usr/bin:/bin` })

    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain(found)
    expect(end.stderr).toContain('npm ci')
    expect(end.stderr).toContain('NODE_MISSING')
  })

  test('says so when there is nothing to run', async () => {
    await layOut({})
    await placeNode('app/node_modules/node/bin/node')

    const end = await run(join(folder, 'app/bin/shipway'))

    expect(end).toMatchObject({ code: 2, stdout: '' })
    expect(end.stderr).toContain('npm run bundle')
    expect(end.stderr).toContain('PROGRAM_MISSING')
  })

  test("passes the program's own exit status on", async () => {
    await layOut({ 'app/dist/shipway.js': 'process.exit(8)' })
    await placeNode('app/node_modules/node/bin/node')

    expect(await run(join(folder, 'app/bin/shipway'))).toMatchObject({ code: 8 })
  })
})

describe('tools/with-node.mjs', () => {
  test('gives a command, and what it starts, the pinned Node', async () => {
    const end = await run(process.execPath, [withNode, 'sh', '-c', 'node -p process.execPath; exit 7'])

    expect(end.code).toBe(7)
    expect(end.stdout.trim()).toBe(await realpath(join(withNode, '../../node_modules/node/bin/node')))
  })

  test('dies of the signal that its command died of', async () => {
    const end = await run(process.execPath, [withNode, 'sh', '-c', 'kill -TERM $$'])

    expect(end.code).toBe('SIGTERM')
  })

  test.for([
    ['no command', [] as string[], 'no command given'],
    ['an unknown command', ['no-such-command'], 'no-such-command'],
  ] as const)('refuses %s', async ([, args, says]) => {
    const end = await run(process.execPath, [withNode, ...args])

    expect(end.code).toBe(2)
    expect(end.stderr).toContain(says)
  })
})

/** Writes files and puts the launcher into `<at>/bin`. */
async function layOut(files: Record<string, string>, at = 'app'): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  await mkdir(join(folder, at, 'bin'), { recursive: true })
  await copyFile(launcher, join(folder, at, 'bin/shipway'))
}

/**
 * A copy of the Node that runs this test, so that `process.execPath` tells which one was taken. It is a hard link where
 * the file system allows, because the file is large.
 */
async function placeNode(name: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await link(process.execPath, path).catch(() => copyFile(process.execPath, path))
  return path
}

interface End {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

function run(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, cwd = folder): Promise<End> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: '/usr/bin:/bin', ...env } }
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? 'unknown'), stdout, stderr })
    })
  })
}

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const execute = promisify(execFile)

let folder: string
/** The package as npm lays it out for `npx shipway`: our tarball, the pinned Node beside it, links in `.bin`. */
let modules: string
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'shipway-package-')))
  modules = join(folder, 'node_modules')
  const { stdout } = await execute('npm', ['pack', '--json', '--offline', '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  })
  const tarball = /"filename": "([^"]+\.tgz)"/.exec(stdout)?.[1]
  await mkdir(join(modules, 'shipway'), { recursive: true })
  await execute('tar', ['-xzf', join(folder, tarball!), '--strip-components=1', '-C', join(modules, 'shipway')])
  await mkdir(join(modules, 'node/bin'), { recursive: true })
  await symlink(process.execPath, join(modules, 'node/bin/node'))
  await mkdir(join(modules, '.bin'))
  for (const name of ['shipway', 'workflow']) await symlink('../shipway/bin/shipway', join(modules, '.bin', name))
  await mkdir(join(folder, 'empty'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Runs a command of the installed package where there is nothing: no repository, no node_modules, an empty home. */
async function shipway(args: readonly string[], name = 'shipway') {
  const options = { cwd: join(folder, 'empty'), env: { PATH: '/usr/bin:/bin', HOME: join(folder, 'empty') } }
  return execute(join(modules, '.bin', name), args, options)
}

describe('the npm package', () => {
  test('holds what runs and what is read, and nothing else', async () => {
    const files = await readdir(join(modules, 'shipway'))

    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'bin', 'dist', 'examples', 'package.json']))
    expect(files).not.toContain('src')
    expect(files).not.toContain('test')
    expect(await readdir(join(modules, 'shipway/dist'))).toEqual(
      expect.arrayContaining(['LICENSES.txt', 'matcher.js', 'runner.js', 'shipway.js']),
    )
  })

  test('has a launcher that can be executed', async () => {
    const { mode } = await stat(join(modules, 'shipway/bin/shipway'))

    expect(mode & 0o111).toBe(0o111)
  })

  test.for(['shipway', 'workflow'] as const)('answers `%s --version` from an empty folder', async (name) => {
    const { stdout, stderr } = await shipway(['--version'], name)

    expect(stdout).toMatch(/^shipway \d+\.\d+\.\d+/)
    expect(stderr).toBe('')
  })

  test('shows its help from an empty folder', async () => {
    const { stdout } = await shipway(['--help'])

    expect(stdout).toContain('shipway run')
  })

  test('runs a workflow, with the runner that it brings', async () => {
    const repository = join(folder, 'repository')
    await mkdir(join(repository, '.github/workflows'), { recursive: true })
    const steps = '[{ run: "echo made by $GITHUB_WORKFLOW" }]'
    const workflow = `name: packed\non: push\njobs: { make: { runs-on: ubuntu-latest, steps: ${steps} } }\n`
    await writeFile(join(repository, '.github/workflows/ci.yml'), workflow)
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org']
    for (const args of [
      ['init', '-q', '-b', 'main'],
      ['add', '.'],
      [...identity, 'commit', '-q', '-m', 'First'],
    ]) {
      await execute('git', args, { cwd: repository })
    }

    const { stdout } = await shipway(['run', 'push', '-C', repository, '--home', join(folder, 'home')])

    expect(stdout).toContain('made by packed')
  })
})

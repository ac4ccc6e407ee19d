import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

interface Kind {
  readonly title: string
  readonly files: Readonly<Record<string, string>>
  /** Programs that this machine may not have: what they are in the test. */
  readonly programs?: Readonly<Record<string, string>>
  /** Files that a release on staging must hold, and those that it must not. */
  readonly has: readonly string[]
  readonly lacks?: readonly string[]
}

const build = (folder: string): string => `mkdir -p ${folder} && echo built > ${folder}/app.js`
const manifest = (more: object): string => JSON.stringify({ name: 'web', version: '1.0.0', ...more })

const kinds: readonly Kind[] = [
  {
    title: 'npm with a build and a lockfile',
    files: {
      'package.json': manifest({ scripts: { build: build('dist'), start: 'node dist/app.js', test: 'true' } }),
      'package-lock.json': JSON.stringify({ name: 'web', lockfileVersion: 3, packages: { '': { name: 'web' } } }),
      '.gitignore': 'dist/\nnode_modules/\n',
    },
    has: ['dist/app.js', 'package.json'],
    lacks: ['node_modules', '.git'],
  },
  {
    title: 'npm without anything',
    files: { 'package.json': manifest({}) },
    has: ['package.json'],
  },
  {
    title: 'a site of vite with pnpm',
    files: {
      'package.json': manifest({ scripts: { build: build('dist') }, devDependencies: { vite: '7' } }),
      'pnpm-lock.yaml': '',
      '.gitignore': 'dist/\n',
    },
    programs: { pnpm: 'case $1 in install) mkdir -p node_modules/vite;; run) npm run "$2";; esac' },
    has: ['app.js'],
    lacks: ['package.json'],
  },
  {
    title: 'a server of next with yarn',
    files: {
      'package.json': manifest({
        scripts: { build: build('.next'), start: 'next start', test: 'true' },
        dependencies: { next: '15' },
      }),
      'yarn.lock': '',
    },
    programs: { yarn: 'case $1 in install) mkdir -p node_modules/next;; run) npm run "$2";; esac' },
    has: ['.next/app.js', 'package.json'],
    lacks: ['node_modules', '.git'],
  },
  {
    title: 'Python with tests of the standard library',
    files: {
      'requirements.txt': '',
      'app.py': 'NAME = "app"\n',
      'tests/test_app.py':
        'import unittest\nimport app\nclass T(unittest.TestCase):\n  def test(self): self.assertEqual(app.NAME, "app")\n',
    },
    has: ['app.py'],
  },
  { title: 'Python without tests', files: { 'requirements.txt': '', 'app.py': 'x = 1\n' }, has: ['app.py'] },
  {
    title: 'a program of Go',
    files: { 'go.mod': 'module x\n', 'main.go': 'package main\n' },
    programs: { go: 'if [ "$1" = build ]; then echo program > bin/x; fi' },
    has: ['x'],
    lacks: ['main.go'],
  },
  {
    title: 'a program of Rust',
    files: { 'Cargo.toml': '[package]\nname = "hello"\n', 'src/main.rs': '' },
    programs: { cargo: 'if [ "$1" = build ]; then mkdir -p target/release; echo program > target/release/hello; fi' },
    has: ['hello'],
    lacks: ['Cargo.toml'],
  },
  { title: 'a static site', files: { 'index.html': '<h1>hello</h1>\n' }, has: ['index.html'] },
  {
    title: 'a container image',
    files: { Dockerfile: 'FROM scratch\n' },
    programs: { docker: 'case $3 in *[A-Z]*|*-:*) exit 1;; esac' },
    has: ['Dockerfile'],
  },
  { title: 'nothing', files: {}, has: [] },
]

test.for(kinds)('what `shipway init` writes works as it stands for $title', async ({ files, programs, has, lacks }) => {
  using repository = new Repository(files, 'master')
  await using shipway = new Shipway()
  using tools = new Tools(programs ?? {})
  shipway.env['PATH'] = `${tools.folder}:${process.env['PATH'] ?? ''}`

  expect(await shipway.call(repository.root, 'init')).toMatchObject({ status: 0 })
  expect(await shipway.call(repository.root, 'lint', '--strict')).toMatchObject({ status: 0 })
  repository.commit({}, 'Add pipeline')
  const run = await shipway.call(repository.root, 'run')

  expect(run).toMatchObject({ status: 0 })
  const release = path.join(repository.root, '.shipway/targets/staging/current')
  for (const name of has) expect(existsSync(path.join(release, name)), name).toBe(true)
  for (const name of lacks ?? []) expect(existsSync(path.join(release, name)), name).toBe(false)
  expect((await shipway.call(repository.root, 'why', 'production')).status).toBe(0)
})

test('in a folder that is no repository yet, and in one without a commit, `shipway init` says what to type next', async () => {
  using tools = new Tools({})
  await using shipway = new Shipway()
  shipway.env['GIT_CONFIG_GLOBAL'] = path.join(tools.folder, 'gitconfig')
  writeFileSync(shipway.env['GIT_CONFIG_GLOBAL'], '[user]\nname = Ann\nemail = ann@example.org\n')
  for (const first of [[], ['git', 'init', '--quiet', '--initial-branch', 'trunk']]) {
    const folder = path.join(tools.folder, `project${first.length}`)
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'index.html'), 'hello\n')
    const [program, ...args] = first
    if (program !== undefined) execFileSync(program, args, { cwd: folder })

    const init = await shipway.call(folder, 'init')

    expect(init.status).toBe(0)
    const next = /next: (.*) && shipway run/.exec(init.stderr)?.[1] ?? 'false'
    execFileSync('/bin/sh', ['-c', next], { cwd: folder, env: shipway.env, stdio: 'ignore' })
    expect(await shipway.call(folder, 'run')).toMatchObject({ status: 0 })
    expect(readdirSync(path.join(folder, '.shipway/targets'))).toContain('staging')
  }
})

/** Stand-ins for programs, in a folder for PATH. */
class Tools implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'shipway-tools-'))

  constructor(programs: Readonly<Record<string, string>>) {
    for (const [name, script] of Object.entries(programs)) {
      const file = path.join(this.folder, name)
      writeFileSync(file, `#!/bin/sh\n${script}\n`)
      chmodSync(file, 0o755)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

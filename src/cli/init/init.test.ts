import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseProject } from '#core/project/parse.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { detectProject } from './detect.ts'
import { renderProject, renderWorkflow } from './render.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipway-init-'))
})
afterEach(() => rm(folder, { recursive: true }))

test.for<readonly [title: string, files: Readonly<Record<string, string>>, kind: string, runs: readonly string[]]>([
  [
    'a Node project with a lockfile and scripts',
    {
      'package.json':
        '{"name":"@acme/web","scripts":{"test":"vitest","lint":"oxlint","build":"tsc"},"dependencies":{"a":"1"}}',
      'package-lock.json': '{}',
    },
    'node',
    ['npm ci', 'npm run lint', 'npm test', 'npm run build'],
  ],
  [
    'a Node project without a test script',
    { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
    'node',
    ['node --test'],
  ],
  [
    'a project of pnpm',
    { 'package.json': '{"scripts":{"test":"x"}}', 'pnpm-lock.yaml': '' },
    'node',
    ['command -v pnpm || corepack enable pnpm\npnpm install --frozen-lockfile', 'pnpm test'],
  ],
  [
    'a Python project with pytest',
    { 'requirements.txt': 'pytest==8\n' },
    'python',
    ['python3 -m venv .venv\n.venv/bin/pip install -r requirements.txt', '.venv/bin/python -m pytest'],
  ],
  [
    'a Python project of uv',
    { 'pyproject.toml': '[project]\nname="x"\n[dependency-groups]\ndev=["pytest"]\n', 'uv.lock': '' },
    'python',
    ['uv sync --locked', 'uv run pytest'],
  ],
  [
    'a Python project with unittest',
    { 'pyproject.toml': '[project]\nname="x"\n', 'tests/test_a.py': '' },
    'python',
    ['python3 -m venv .venv\n.venv/bin/pip install .', '.venv/bin/python -m unittest discover -s tests'],
  ],
  [
    'a Python project that installs nothing and has tests beside the code',
    { 'requirements.txt': '# none\n', 'test_a.py': '' },
    'python',
    ['python3 -m unittest discover'],
  ],
  [
    'a Python project without tests',
    { 'pyproject.toml': '[tool.ruff]\n', 'a.py': '' },
    'python',
    [String.raw`python3 -m compileall -q -x '/\.venv/' .`],
  ],
  [
    'a project of yarn 1',
    { 'package.json': '{"scripts":{"test":"x"}}', 'yarn.lock': '# yarn lockfile v1\n' },
    'node',
    ['command -v yarn || corepack enable yarn\nyarn install --frozen-lockfile', 'yarn test'],
  ],
  [
    'a project of a later yarn',
    { 'package.json': '{"scripts":{"test":"x"}}', 'yarn.lock': '__metadata:\n  version: 8\n' },
    'node',
    ['command -v yarn || corepack enable yarn\nyarn install --immutable', 'yarn test'],
  ],
  [
    'a project that names pnpm and has no lockfile yet',
    { 'package.json': '{"packageManager":"pnpm@9.1.0","scripts":{"test":"x"},"dependencies":{"a":"1"}}' },
    'node',
    ['command -v pnpm || corepack enable pnpm\npnpm install', 'pnpm test'],
  ],
  ['a library of Go', { 'go.mod': 'module x\n', 'a.go': 'package x\n' }, 'go', ['go vet ./...', 'go test ./...']],
  [
    'a program of Go',
    { 'go.mod': 'module x\n', 'a.go': 'package main\n' },
    'go',
    ['go vet ./...', 'go test ./...', 'mkdir -p bin\ngo build -o bin/ ./...'],
  ],
  [
    'a library of Rust',
    { 'Cargo.toml': '[package]\nname = "x"\n', 'src/lib.rs': '', 'Cargo.lock': '' },
    'rust',
    ['cargo test --locked'],
  ],
  [
    'a program of Rust',
    { 'Cargo.toml': '[package]\nversion = "1.0.0"\nname = "hello"\n', 'src/main.rs': '' },
    'rust',
    ['cargo test', 'cargo build --release'],
  ],
  ['a static site', { 'index.html': '<p>' }, 'static', ['test -s index.html']],
  ['a static site in a folder', { 'public/index.html': '<p>' }, 'static', ['test -s public/index.html']],
  ['a Makefile with a test target', { Makefile: 'CC := gcc\nall: test\ntest:\n\ttrue\n' }, 'make', ['make test']],
  ['a Makefile without one', { Makefile: 'prog: a.c\n\tcc a.c\n' }, 'make', ['make']],
  [
    'a compose file',
    { 'compose.yaml': 'services: {}\n', Dockerfile: 'FROM scratch\n' },
    'docker',
    ['docker compose -f compose.yaml build'],
  ],
  ['a Dockerfile', { Dockerfile: 'FROM scratch\n' }, 'docker', ['docker build --tag NAME:${{ github.sha }} .']],
  ['an empty folder', {}, 'plain', ['git log -1 --oneline # put your tests here']],
  [
    'a package.json that is no JSON beside a Makefile',
    { 'package.json': '{', Makefile: 'check:\n' },
    'make',
    ['make check'],
  ],
])('finds %s, and what it writes for it is valid', async ([, files, kind, runs]) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }

  const project = await detectProject(folder)

  expect(project.kind).toBe(kind)
  expect(project.steps.map((step) => step.run.replace(project.name.toLowerCase(), 'NAME'))).toEqual(runs)
  const workflow = await parseWorkflow({ file: 'ci.yml', text: renderWorkflow(project) })
  expect(workflow.diagnostics).toEqual([])
  expect(workflow.value?.jobs[0]?.steps.length).toBe(runs.length + (project.artifact === undefined ? 1 : 2))
  const written = parseProject({ file: 'shipway.yml', text: renderProject(project, 'main'), folderName: 'x' })
  expect(written.diagnostics).toEqual([])
  expect(written.value).toMatchObject({
    application: project.name,
    release: project.artifact === undefined ? { files: ['**', '!.github/**'] } : { artifact: 'release' },
    environments: [
      { name: 'staging', auto: true },
      { name: 'production', after: ['staging'] },
    ],
  })
})

test.for(["it's", 'true', '1.0', 'a b', '- x', '#x', 'main', 'feature/x'])(
  'a branch called "%s" survives the way through YAML',
  (branch) => {
    const text = renderProject({ name: 'web' }, branch)

    expect(parseProject({ file: 'shipway.yml', text, folderName: 'x' }).value?.environments[0]?.from).toEqual([branch])
  },
)

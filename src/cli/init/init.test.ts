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
    ['corepack enable && pnpm install --frozen-lockfile', 'pnpm test'],
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
    ['python3 -m venv .venv\n.venv/bin/pip install .', '.venv/bin/python -m unittest discover'],
  ],
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
  expect(workflow.value?.jobs[0]?.steps.length).toBe(runs.length + 1)
  const written = parseProject({ file: 'shipway.yml', text: renderProject(project, 'main'), folderName: 'x' })
  expect(written.diagnostics).toEqual([])
  expect(written.value).toMatchObject({
    application: project.name,
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

import { access, readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** What a folder holds, as far as a workflow for it needs to know. */
export interface DetectedProject {
  readonly kind: 'node' | 'python' | 'docker' | 'make' | 'plain'
  /** Name for the application. */
  readonly name: string
  /** What made us think so, for people: `package.json with a test script`. */
  readonly because: string
  readonly steps: readonly DetectedStep[]
}

export interface DetectedStep {
  readonly name: string
  readonly run: string
}

/** Looks at the files of a folder. The first kind that fits wins: node, python, make, docker, plain. */
export async function detectProject(directory: string): Promise<DetectedProject> {
  const name =
    basename(directory)
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-.]+/, '') || 'app'
  for (const detect of [detectNode, detectPython, detectMake, detectDocker]) {
    const found = await detect(directory, name)
    if (found !== undefined) return found
  }
  return {
    kind: 'plain',
    name,
    because: 'no package.json, pyproject.toml, Makefile or Dockerfile',
    steps: [{ name: 'Check', run: 'git log -1 --oneline # put your tests here' }],
  }
}

interface PackageJson {
  readonly name?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly dependencies?: object
  readonly devDependencies?: object
}

async function detectNode(directory: string, fallback: string): Promise<DetectedProject | undefined> {
  const manifest = await readJson<PackageJson>(join(directory, 'package.json'))
  if (manifest === undefined) return undefined
  const { scripts = {} } = manifest
  const has = (script: string): boolean => {
    const text = scripts[script]
    return typeof text === 'string' && !text.includes('no test specified')
  }
  const tool = await packageManager(directory)
  const hasDependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0
  const steps: DetectedStep[] = []
  if (hasDependencies || tool.hasLockfile) steps.push({ name: 'Install', run: tool.install })
  for (const [script, title] of [
    ['lint', 'Lint'],
    ['test', 'Test'],
    ['build', 'Build'],
  ] as const) {
    if (has(script))
      steps.push({ name: title, run: script === 'test' ? `${tool.program} test` : `${tool.program} run ${script}` })
  }
  if (!has('test')) steps.push({ name: 'Test', run: 'node --test' })
  const name =
    typeof manifest.name === 'string' ? manifest.name.replace(/^@[^/]*\//, '').replaceAll(/[^A-Za-z0-9._-]+/g, '-') : ''
  return {
    kind: 'node',
    name: name || fallback,
    because: `package.json${has('test') ? ' with a test script' : ''}`,
    steps,
  }
}

async function packageManager(directory: string): Promise<{ program: string; install: string; hasLockfile: boolean }> {
  if (await exists(directory, 'pnpm-lock.yaml'))
    return { program: 'pnpm', install: 'corepack enable && pnpm install --frozen-lockfile', hasLockfile: true }
  if (await exists(directory, 'yarn.lock'))
    return { program: 'yarn', install: 'corepack enable && yarn install --frozen-lockfile', hasLockfile: true }
  const hasLockfile = await exists(directory, 'package-lock.json')
  return { program: 'npm', install: hasLockfile ? 'npm ci' : 'npm install --no-audit --no-fund', hasLockfile }
}

async function detectPython(directory: string, name: string): Promise<DetectedProject | undefined> {
  const files = ['pyproject.toml', 'requirements.txt', 'setup.py', 'setup.cfg']
  const present: string[] = []
  for (const file of files) if (await exists(directory, file)) present.push(file)
  const [first] = present
  if (first === undefined) return undefined
  const text = (await Promise.all(present.map((file) => readFile(join(directory, file), 'utf8')))).join('\n')
  const usesPytest = /\bpytest\b/.test(text)
  if (await exists(directory, 'uv.lock')) {
    return {
      kind: 'python',
      name,
      because: 'uv.lock',
      steps: [
        { name: 'Install', run: 'uv sync --locked' },
        { name: 'Test', run: usesPytest ? 'uv run pytest' : 'uv run python -m unittest discover' },
      ],
    }
  }
  const install = present.includes('requirements.txt') ? 'pip install -r requirements.txt' : 'pip install .'
  const hasTests = (await exists(directory, 'tests')) || (await exists(directory, 'test'))
  const test = usesPytest ? 'python -m pytest' : hasTests ? 'python -m unittest discover' : 'python -m compileall -q .'
  return {
    kind: 'python',
    name,
    because: first,
    steps: [
      { name: 'Install', run: `python3 -m venv .venv\n.venv/bin/${install}` },
      { name: 'Test', run: `.venv/bin/${test}` },
    ],
  }
}

async function detectMake(directory: string, name: string): Promise<DetectedProject | undefined> {
  const file = (await readdir(directory).catch(() => [])).find((entry) => /^(?:GNUm|M|m)akefile$/.test(entry))
  if (file === undefined) return undefined
  const targets = new Set(
    [...(await readFile(join(directory, file), 'utf8')).matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)/gm)].map(
      (match) => match[1],
    ),
  )
  const target = ['test', 'check', 'all'].find((candidate) => targets.has(candidate))
  return {
    kind: 'make',
    name,
    because: file,
    steps: [{ name: 'Test', run: target === undefined ? 'make' : `make ${target}` }],
  }
}

async function detectDocker(directory: string, name: string): Promise<DetectedProject | undefined> {
  for (const file of ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']) {
    if (await exists(directory, file))
      return { kind: 'docker', name, because: file, steps: [{ name: 'Build', run: `docker compose -f ${file} build` }] }
  }
  if (!(await exists(directory, 'Dockerfile'))) return undefined
  return {
    kind: 'docker',
    name,
    because: 'Dockerfile',
    steps: [{ name: 'Build', run: `docker build --tag ${name.toLowerCase()}:\${{ github.sha }} .` }],
  }
}

async function exists(directory: string, name: string): Promise<boolean> {
  return access(join(directory, name)).then(
    () => true,
    () => false,
  )
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

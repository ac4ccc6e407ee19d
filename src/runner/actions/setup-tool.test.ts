import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestStep } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
  const arch = process.arch
  install('tools/node/20.11.1', `${arch}/bin/node`, 'v20.11.1')
  install('tools/Python/3.12.4', `${arch}/bin/python`, 'Python 3.12.4')
  // The rig's HOME is its folder.
  install('.nvm/versions/node/v18.19.0', 'bin/node', 'v18.19.0')
  install('.pyenv/versions/3.11.9', 'bin/python', 'Python 3.11.9')
})
afterAll(() => rig[Symbol.asyncDispose]())

/** A program that says which version it is: where it lies is what these actions are about. */
function install(folder: string, program: string, version: string): void {
  const path = join(rig.root, folder, program)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho "${version}"\n`, { mode: 0o755 })
}

async function use(uses: string, inputs: Readonly<Record<string, string>>, script: string): Promise<EndedJob> {
  return rig.run({
    steps: [
      { run: 'echo v18.19.0 > .nvmrc; echo 3.11.9 > .python-version' },
      { id: 'tool', uses, with: inputs },
      { run: script },
    ],
  })
}

describe('actions/setup-node', () => {
  test.each([
    ['of the tool cache', { 'node-version': '20.11.1' }, 'v20.11.1'],
    ['of nvm', { 'node-version': '18.19.0' }, 'v18.19.0'],
    ['that a file asks for', { 'node-version-file': '.nvmrc' }, 'v18.19.0'],
  ])('puts the version %s before PATH', async (_where, inputs, version) => {
    const job = await use('actions/setup-node@v4', inputs, 'node --version')
    expect(job.result.conclusion).toBe('success')
    expect(printed(job)).toEqual([version])
  })

  test('gives the version as an output, and the one on PATH where none is asked for', async () => {
    const job = await rig.run({
      steps: [
        { id: 'own', uses: 'actions/setup-node@v4' },
        { run: expr('format(\'test "$(node --version)" = "{0}" && echo same\', steps.own.outputs.node-version)') },
      ],
    })
    expect(printed(job)).toEqual(['same'])
  })

  test('says what is there when the version is not', async () => {
    const job = await use('actions/setup-node@v4', { 'node-version': '12' }, 'true')
    expect(job.result.reason).toMatch(/Node 12 is not installed on this machine \(found: .*20\.11\.1 \(.*18\.19\.0 \(/)
    const odd = await use('actions/setup-node@v4', { 'node-version': 'banana' }, 'true')
    expect(odd.result.reason).toContain('the version "banana" of "node-version" cannot be understood')
    const file = await use('actions/setup-node@v4', { 'node-version-file': 'none' }, 'true')
    expect(file.result.reason).toContain('the version file none is not there')
  })

  test('writes the settings of a registry without its token', async () => {
    const job = await use(
      'actions/setup-node@v4',
      { 'node-version': '20', 'registry-url': 'https://npm.example.org/team', scope: 'acme' },
      'cat "$NPM_CONFIG_USERCONFIG"; echo "$NODE_AUTH_TOKEN"',
    )
    expect(printed(job)).toEqual([
      '//npm.example.org/team/:_authToken=${NODE_AUTH_TOKEN}',
      '@acme:registry=https://npm.example.org/team/',
      'XXXXX-XXXXX-XXXXX-XXXXX',
    ])
  })
})

/** Puts a package manager that says what a real one says about its cache, and nothing else, before PATH. */
function manager(name: string, script: string): { run: string } {
  const path = join(rig.root, 'managers', name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return { run: `echo ${dirname(path)} >> "$GITHUB_PATH"` }
}

/** Runs a job twice in a repository of its own, and says what the second one finds. */
async function twice(repository: string, steps: readonly TestStep[]): Promise<readonly [EndedJob, EndedJob]> {
  const job = { steps, github: { repository, ref: 'refs/heads/main' } }
  return [await rig.run(job), await rig.run(job)]
}

const hit = { run: expr("format('echo hit={0}', steps.tool.outputs.cache-hit)") }
const node = (inputs: Readonly<Record<string, string>>): TestStep => ({
  id: 'tool',
  uses: 'actions/setup-node@v4',
  with: inputs,
})
const python = (inputs: Readonly<Record<string, string>>): TestStep => ({
  id: 'tool',
  uses: 'actions/setup-python@v5',
  with: { 'python-version': '3.12.4', ...inputs },
})

describe('the input cache of the setup actions', () => {
  test.each([
    ['npm', 'package-lock.json', 'test "$*" = "config get cache" && echo "$HOME/kept/npm"', 'kept/npm'],
    ['pnpm', 'pnpm-lock.yaml', 'test "$*" = "store path --silent" && echo "$HOME/kept/pnpm"', 'kept/pnpm'],
    [
      'yarn',
      'yarn.lock',
      'case "$*" in --version) echo 1.22.22;; "cache dir") echo "$HOME/kept/yarn";; esac',
      'kept/yarn',
    ],
    [
      'yarn',
      'yarn.lock',
      'case "$*" in --version) echo 4.1.0;; "config get cacheFolder") echo "$HOME/kept/berry";; esac',
      'kept/berry',
    ],
  ])('keeps the folder that %s names, by the hash of %s', async (name, lock, script, folder) => {
    const steps = [
      manager(name, script),
      { run: `echo ${folder} > ${lock}` },
      node({ cache: name }),
      hit,
      { run: `test ! -e ~/${folder} || cat ~/${folder}/file; mkdir -p ~/${folder}; echo kept > ~/${folder}/file` },
    ]
    const [first, second] = await twice(`acme/${folder}`, [...steps, { run: 'true' }])
    expect(printed(first)).toEqual(['hit=false'])
    expect(first.steps.at(-1)).toMatchObject({ name: 'Post Run actions/setup-node@v4', conclusion: 'success' })
    expect(first.log).toMatch(
      new RegExp(`Cache saved with key: node-cache-Linux-${process.arch}-${name}-[0-9a-f]{64}\n`),
    )
    expect(printed(second)).toEqual(['hit=true', 'kept'])
    expect(second.log).toContain('not saving cache.')
  })

  test('brings files back that are gone, and saves again when the lock file has changed', async () => {
    const steps = (lock: string): readonly TestStep[] => [
      manager('npm', 'echo "$HOME/kept/again"'),
      { run: `rm -rf ~/kept; mkdir -p web; echo ${lock} > web/package-lock.json` },
      node({ cache: 'npm', 'cache-dependency-path': 'web/package-lock.json' }),
      hit,
      { run: 'cat ~/kept/again/file || mkdir -p ~/kept/again; echo of-lock > ~/kept/again/file' },
    ]
    const github = { repository: 'acme/again', ref: 'refs/heads/main' }
    const jobs = []
    for (const lock of ['one', 'one', 'two']) jobs.push(printed(await rig.run({ steps: steps(lock), github })))
    expect(jobs[1]).toEqual(['hit=true', 'of-lock'])
    expect(jobs[2]?.[0]).toBe('hit=false')
  })

  test.each([
    ['pip', 'requirements.txt', 'test "$*" = "cache dir" && echo "~/kept/pip"', 'kept/pip'],
    ['pip', 'pyproject.toml', 'echo "~/kept/pip2"', 'kept/pip2'],
    ['pipenv', 'Pipfile.lock', 'exit 1', '.local/share/virtualenvs'],
    [
      'poetry',
      'poetry.lock',
      `printf 'cache-dir = "%s/kept"\\nvirtualenvs.in-project = null\\nvirtualenvs.path = "{cache-dir}/poetry"  # %s\\n' "$HOME" "$HOME"`,
      'kept/poetry',
    ],
  ])('keeps what %s keeps, by the hash of %s', async (name, lock, script, folder) => {
    const [first, second] = await twice(`acme/${lock}`, [
      manager(name, script),
      { run: `rm -rf ~/${folder}; mkdir sub; echo ${folder} > sub/${lock}` },
      python({ cache: name }),
      hit,
      { run: `test ! -e ~/${folder} || cat ~/${folder}/file; mkdir -p ~/${folder}; echo kept > ~/${folder}/file` },
    ])
    expect(printed(first)).toEqual(['hit=false'])
    expect(printed(second)).toEqual(['hit=true', 'kept'])
    expect(second.log).toMatch(/restored from key: setup-python-Linux-\S+-python-3\.12\.4-/)
  })

  test.each([
    ['no lock file', node({ cache: 'npm' }), 'no file in .* matches package-lock.json, npm-shrinkwrap.json, yarn.lock'],
    ['no file of that name', node({ cache: 'npm', 'cache-dependency-path': 'x/*.json' }), 'matches x/\\*.json'],
    ['no such manager', node({ cache: 'bun' }), '"cache: bun" cannot be done: it can be npm, pnpm, yarn'],
    ['no such manager of Python', python({ cache: 'conda' }), 'it can be pip, pipenv, poetry'],
    ['no requirements', python({ cache: 'pip' }), 'matches \\*\\*/requirements.txt'],
  ])('says what is missing: %s', async (_what, step, reason) => {
    expect((await rig.run({ steps: [step] })).result.reason).toMatch(new RegExp(reason))
  })

  test('fails when the package manager is not there or says nothing', async () => {
    const lock = { run: 'touch pnpm-lock.yaml' }
    const silent = await rig.run({ steps: [lock, manager('pnpm', 'exit 3'), node({ cache: 'pnpm' })] })
    expect(silent.result.reason).toContain('`pnpm store path --silent` says nothing')
  })
})

describe('what the setup actions do besides', () => {
  const found = ({ result }: EndedJob): unknown =>
    result.annotations.map(({ level, file, line, column, code, message }) => [level, file, line, column, code, message])

  test('setup-node finds the problems that tsc and ESLint print', async () => {
    const output = [
      'src/a.ts(3,7): error TS2322: Type is wrong.',
      'src/b.ts: line 4, col 2, Warning - Unused. (no-unused-vars)',
      'src/c.ts',
      '  5:1  error  Missing semicolon  semi',
    ]
    const files = 'mkdir src; touch src/a.ts src/b.ts src/c.ts'
    const job = await rig.run({ steps: [node({}), { run: `${files}; cat <<'END'\n${output.join('\n')}\nEND` }] })
    expect(found(job)).toEqual([
      ['error', 'src/a.ts', 3, 7, 'TS2322', 'Type is wrong.'],
      ['warning', 'src/b.ts', 4, 2, 'no-unused-vars', 'Unused.'],
      ['error', 'src/c.ts', 5, 1, 'semi', 'Missing semicolon'],
    ])
  })

  test('setup-python finds the line that raises', async () => {
    const output = ['  File "src/a.py", line 3, in main', "    raise ValueError('odd')"]
    const job = await rig.run({
      steps: [python({}), { run: `mkdir src; touch src/a.py; cat <<'END'\n${output.join('\n')}\nEND` }],
    })
    expect(found(job)).toEqual([['error', 'src/a.py', 3, undefined, undefined, 'odd']])
  })

  test('both name the inputs that they do not follow', async () => {
    const job = await rig.run({
      steps: [
        node({ architecture: 'mips', mirror: 'https://mirror.example' }),
        python({ architecture: process.arch, freethreaded: 'true', 'pip-version': '24' }),
      ],
    })
    expect(job.result.annotations.map(({ message }) => /"(.*)"/.exec(message)?.[1])).toEqual([
      'mirror: https://mirror.example',
      'architecture: mips',
      'freethreaded: true',
      'pip-version: 24',
    ])
  })
})

describe('actions/setup-python', () => {
  test('puts the version before PATH under all its names, and says where it is', async () => {
    const job = await use(
      'actions/setup-python@v5',
      { 'python-version': '3.12.4' },
      'python --version; python3 --version; python3.12 --version; echo "${pythonLocation##*/tools/}"',
    )
    expect(printed(job)).toEqual(['Python 3.12.4', 'Python 3.12.4', 'Python 3.12.4', `Python/3.12.4/${process.arch}`])
  })

  test('reads .python-version, and gives outputs', async () => {
    const script = expr(
      'format(\'"{0}" --version; echo {1}\', steps.tool.outputs.python-path, steps.tool.outputs.python-version)',
    )
    const job = await rig.run({
      steps: [
        { run: 'echo 3.11.9 > .python-version' },
        { id: 'tool', uses: 'actions/setup-python@v5' },
        { run: script },
      ],
    })
    expect(printed(job)).toEqual(['Python 3.11.9', '3.11.9'])
  })

  test('says what is there when the version is not', async () => {
    const job = await use('actions/setup-python@v5', { 'python-version': '2.7' }, 'true')
    expect(job.result.reason).toMatch(/Python 2\.7 is not installed on this machine \(found: .*3\.12\.4/)
    expect(readFileSync(job.order.paths.log, 'utf8')).toContain('Nothing is downloaded.')
  })
})

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, printed } from '../../../test/rig/runner.ts'
import type { EndedJob } from '../../../test/rig/runner.ts'

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
    ['of nvm', { 'node-version': '18.19.0', cache: 'npm' }, 'v18.19.0'],
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

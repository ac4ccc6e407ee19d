import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const job = (name: string, step: string) => `name: ${name}\non: push\njobs:\n  ${name}:\n    runs-on: ubuntu-latest
    strategy: { matrix: { os: [a, b] } }\n    steps: [{ run: '${step}' }]\n`
const files = {
  'shipway.yml': 'name: shop\nrelease: { files: [app.txt] }\nenvironments: { staging: { targets: [../nowhere] } }\n',
  'app.txt': 'one\n',
  '.github/workflows/lint.yml': job('lint', 'true'),
  '.github/workflows/test.yml': `${job('test', 'true')}  more: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }\n`,
}

test('doctor and why say when a change of the rules does not come into force', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  const call = async (...args: readonly string[]) => (await shipway.call(repository.root, ...args)).stdout
  await call('run')
  expect(await call('why', 'staging')).not.toContain('RULES_')

  repository.commit({ 'shipway.yml': files['shipway.yml'].replace('[../nowhere]', '[../nowhere], soak: soon') })
  expect(await call('why', 'staging')).toMatch(/has a mistake, so nothing goes forward.*RULES_INVALID/)
  repository.commit({ 'shipway.yml': files['shipway.yml'].replace('[../nowhere]', '[../nowhere], from: [main]') })
  expect(await call('why', 'staging')).toContain('RULES_BEHIND')

  repository.git('branch', '--move', 'one')
  repository.git('branch', 'two')
  repository.git('config', 'init.defaultBranch', 'nowhere')
  expect(await call('why', 'staging')).toContain('RULES_BRANCH_UNKNOWN')
  expect(await call('doctor', '--no-targets')).toContain('No default branch is known')
})

test('two repositories do not share one name in a home; a clone of one is no other repository', async () => {
  using first = new Repository(files)
  using second = new Repository({ ...files, 'app.txt': 'another\n' })
  using clone = new Repository()
  await using shipway = new Shipway()
  expect((await shipway.call(first.root, 'run')).status).toBe(0)

  const other = await shipway.call(second.root, 'run')
  expect(other).toMatchObject({ status: 3, stderr: expect.stringContaining('APPLICATION_OF_OTHER_REPOSITORY') })

  clone.git('pull', '--quiet', first.root, 'main')
  clone.commit({ 'app.txt': 'two\n' })
  expect((await shipway.call(clone.root, 'run')).status).toBe(0)
  first.commit({ 'app.txt': 'three\n' })
  expect((await shipway.call(first.root, 'run')).status).toBe(0)
})

test('one push makes one release, when all of its workflows are green; a part of it makes none, and the run says why', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
  const sealed = async () =>
    (JSON.parse((await call('release', 'list', '--json')).stdout) as { items: unknown[] }).items.length

  const part = await call('run', '--job', 'test')
  expect(part).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('no release: No release is sealed, because --job'),
  })
  expect((await call('why', 'latest')).stdout).toContain('RELEASE_PARTIAL')
  expect((await call('run', '--matrix', 'os:a')).status).toBe(0)
  expect(await sealed()).toBe(0)

  expect((await call('run')).status).toBe(0)
  expect(await sealed()).toBe(1)

  repository.commit({ '.github/workflows/lint.yml': job('lint', 'false') })
  const red = await call('run')
  expect(red).toMatchObject({ status: 1, stdout: expect.stringContaining('no release') })
  expect(await sealed()).toBe(1)
})

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

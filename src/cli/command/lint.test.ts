import { expect, test } from 'vitest'
import { startCliRig } from '../../../test/rig/cli-world.ts'

const workflow = (environment: string): string =>
  `on: push\njobs:\n  ship: { runs-on: linux, environment: ${environment}, steps: [{ run: make }] }\n`
const project = 'environments:\n  staging: { driver: directory, targets: [./t] }\n'

test('an environment that shipway.yml does not have is a warning, in the whole project and in one file', async () => {
  await using rig = await startCliRig()
  await rig.write('shipway.yml', project)
  await rig.write('.github/workflows/ci.yml', workflow('stagin'))

  for (const argv of [['lint'], ['lint', '.github/workflows/ci.yml']]) {
    const end = await rig.run(argv)
    expect(end.code).toBe(0)
    expect(end.stdout).toContain('ci.yml:3:40: warning: Environment "stagin" is not defined in shipway.yml')
    expect(end.stdout).toContain('Did you mean "staging"?')
  }
  expect((await rig.run(['lint', '--strict'])).code).toBe(2)
})

test('without shipway.yml no environment is unknown', async () => {
  await using rig = await startCliRig()
  await rig.write('.github/workflows/ci.yml', workflow('stagin'))

  expect(await rig.run(['lint', '--strict'])).toMatchObject({ code: 0, stdout: '' })
})

test.for(['', '\n\n', '# nothing yet\n---\n'])('a shipway.yml that holds nothing is a mistake: %j', async (text) => {
  await using rig = await startCliRig()
  await rig.write('shipway.yml', text)

  for (const argv of [['lint'], ['lint', 'shipway.yml']]) {
    const end = await rig.run(argv)
    expect(end).toMatchObject({ code: 2, stdout: expect.stringContaining('(CONFIG_EMPTY)') })
  }
})

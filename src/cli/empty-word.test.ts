import { expect, test } from 'vitest'
import { startCliRig } from '../../test/rig/cli-world.ts'

test.for([
  [['cancel', ''], 'The argument "subject" is empty.', 'shipway cancel --help'],
  [['deploy', 'live', ''], 'The argument "release" is empty.', 'shipway deploy --help'],
  [['release', 'show', ''], 'The argument "release" is empty.', 'shipway release show --help'],
  [['run', ''], 'The argument "event" is empty.', 'shipway run --help'],
] as const)('a word that a variable left empty names nothing: %j', async ([argv, message, hint]) => {
  await using rig = await startCliRig()
  await (await rig.openStore()).close()

  const { code, stderr } = await rig.run(argv)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
  expect(stderr).toContain(hint)
})

test('an empty state home is none: the folder in which somebody stands is never taken for it', async () => {
  await using rig = await startCliRig()

  const { code, stderr } = await rig.run(['status', '--home', ''])
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--home takes a folder, not ""') })
})

test('only words that are to be completed may be empty', async () => {
  await using rig = await startCliRig()

  expect(await rig.run(['__complete', '--', ''])).toMatchObject({ code: 0 })
})

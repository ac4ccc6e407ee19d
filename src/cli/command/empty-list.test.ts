import { expect, test } from 'vitest'
import { startCliRig } from '../../../test/rig/cli-world.ts'

test.for([
  [['ps'], 'Nothing has run here yet.'],
  [['ps', '--open'], 'Nothing goes on and nothing waits.'],
  [['ps', '--app', 'wbe'], 'Nothing has run for an application "wbe".'],
  [['ps', '--app', 'wbe', '--open'], 'Nothing goes on for an application "wbe".'],
  [['release', 'list', '--app', 'wbe'], 'No release of an application "wbe" has been sealed.'],
  [['status', '--app', 'wbe'], 'No environment of an application "wbe" has been used.'],
] as const)('an empty list says whether nothing is there or nothing matches: %j', async ([argv, said]) => {
  await using rig = await startCliRig()
  await (await rig.openStore()).close()

  expect(await rig.run(argv)).toMatchObject({ code: 0, stderr: expect.stringContaining(said) })
})

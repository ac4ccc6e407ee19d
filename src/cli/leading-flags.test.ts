import { expect, test } from 'vitest'
import { startCliRig } from '../../test/rig/cli-world.ts'
import { takeLeadingFlags } from './leading-flags.ts'

test.for<readonly [argv: readonly string[], flags: readonly string[], words: readonly string[]]>([
  [['status'], [], ['status']],
  [
    ['-C', 'web', 'status', '--json'],
    ['-C', 'web'],
    ['status', '--json'],
  ],
  [
    ['-Cweb', '--home=/h', '--json', 'ps', '-q'],
    ['-Cweb', '--home=/h', '--json'],
    ['ps', '-q'],
  ],
  [
    ['--home', '/h', '-q', '--no-color', '--ascii', '--debug'],
    ['--home', '/h', '-q', '--no-color', '--ascii', '--debug'],
    [],
  ],
  [['--jsn', 'ps'], [], ['--jsn', 'ps']],
  [['-C'], [], ['-C']],
  [['--home'], [], ['--home']],
])('takes the global flags off the front of %j', ([argv, flags, words]) => {
  expect(takeLeadingFlags(argv)).toEqual({ flags, words })
})

test.for([
  ['-C', 'PROJECT', '--home', 'HOME', '--json', 'status'],
  ['--json', '-CPROJECT', 'env', 'list', '--home=HOME'],
  ['--home=HOME', '--json', 'release', 'list', '-C', 'PROJECT'],
])('a command with global flags before it is the same as with them behind it: %j', async (words) => {
  await using rig = await startCliRig()
  const argv = words.map((word) => word.replace('PROJECT', rig.project).replace('HOME', rig.home))

  const end = await rig.run(argv)

  expect(end).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(end.stdout)).toMatchObject({ apiVersion: 'v1' })
})

test('global flags before the help, the version, an unknown command and no command', async () => {
  await using rig = await startCliRig()

  expect(await rig.run(['--json', '--version'])).toMatchObject({ code: 0 })
  expect((await rig.run(['-C', rig.project])).stdout).toContain('START')
  expect((await rig.run(['--no-color', 'help', 'run'])).stdout).toContain('shipway run')
  expect(await rig.run(['--json', 'statos'])).toMatchObject({ code: 2, stderr: '' })
  expect((await rig.run(['--home'])).code).toBe(2)
})

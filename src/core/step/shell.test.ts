import { expect, test } from 'vitest'
import { planShell, renderShell, shellArgv } from './shell.ts'

test.each<[string | undefined, boolean, readonly string[] | undefined]>([
  [undefined, true, ['bash', '-e', '/t/s']],
  [undefined, false, ['sh', '-e', '/t/s']],
  ['', true, ['bash', '-e', '/t/s']],
  ['bash', true, ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail', '/t/s']],
  ['BASH', true, ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail', '/t/s']],
  ['sh', true, ['sh', '-e', '/t/s']],
  ['python', true, ['python', '/t/s']],
  ['pwsh', true, ['pwsh', '-command', ". '/t/s'"]],
  ['perl {0}', true, ['perl', '/t/s']],
  ['bash -l -c "source {0} now"', true, ['bash', '-l', '-c', 'source /t/s now']],
  ['perl', true, undefined],
  ['{0}', true, undefined],
  ['constructor', true, undefined],
])('shell %j (bash there: %j) starts %j', (shell, hasBash, argv) => {
  const plan = planShell(shell, hasBash)
  expect(plan && shellArgv(plan, plan.program, '/t/s')).toEqual(argv)
})

test('PowerShell stops at the first error and passes on the exit code of the last program', () => {
  const plan = planShell('pwsh', true)
  expect(plan?.prologue).toContain("$ErrorActionPreference = 'stop'")
  expect(plan?.epilogue).toContain('exit $LASTEXITCODE')
  expect(plan?.extension).toBe('.ps1')
})

test('the header of a log shows the program with its path', () => {
  const plan = planShell(undefined, true)
  expect(plan && renderShell(plan, '/usr/bin/bash')).toBe('/usr/bin/bash -e {0}')
})

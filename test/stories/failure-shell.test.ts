import { readFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'
import { onTerminal } from '../rig/terminal.ts'

const missing = await requireSystem(['bsdutils'])

const workflow = `name: CI
on: push
env: { WHO: world }
jobs:
  a:
    runs-on: ubuntu-latest
    defaults: { run: { working-directory: sub } }
    steps:
      - { run: 'mkdir -p sub; echo kept > sub/file; echo "$PWD/tools" >> "$GITHUB_PATH"', working-directory: . }
      - { run: 'exit 3', env: { OWN: mine, KEY: '\${{ secrets.KEY }}' } }
      - { if: always(), run: 'cat made > "$NOTES/made"' }
`

describe.skipIf(missing !== undefined)(`shipway run --shell-on-failure ${missing ?? ''}`, { tags: ['slow'] }, () => {
  test('opens a shell in the world of the failed step, and goes on with the job after Ctrl-D', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const env = { ...shipway.env, KEY: 'opensesame', TERM: 'xterm' }
    const notes = `NOTES=${shipway.home}`
    const { status, output } = await onTerminal(repository.root, env, {
      args: ['run', 'push', '--shell-on-failure', '--secret', 'KEY', '--env', notes, '--home', shipway.home],
      answers: [
        [/\(a\) [^\n]*[#$] /, 'echo "[$OWN-$WHO-$(cat file)-$KEY-${PATH%%:*}]" | tee made\n'],
        [/\[mine-world-kept-.*\]/, ''],
        [/\(a\) [^\n]*[#$] /, '\u0004'],
      ],
    })

    expect(output).toMatch(/step "Run exit 3" of a failed: a shell in its world, .*\/sub/)
    expect(output.indexOf('Process completed with exit code 3')).toBeLessThan(output.indexOf('a shell in its world'))
    expect(readFileSync(path.join(shipway.home, 'made'), 'utf8')).toMatch(
      /^\[mine-world-kept-opensesame-\/.*\/tools\]\n$/,
    )
    expect(status).toBe(1)
    const log = await shipway.call(repository.root, 'logs', 'latest')
    expect(log.stdout).not.toContain('opensesame')
  })

  test('is an error without a terminal, and nothing runs', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    expect(await shipway.call(repository.root, 'run', 'push', '--shell-on-failure')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('SHELL_WITHOUT_TERMINAL'),
    })
    expect(existsSync(path.join(shipway.home, 'runs'))).toBe(false)
  })
})

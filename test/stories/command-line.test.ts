import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { program } from '../rig/program.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `name: CI
on:
  push:
  workflow_dispatch:
    inputs: { who: { type: string, default: nobody } }
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { word: '\${{ steps.say.outputs.word }}' }
    steps:
      - { name: Say, id: say, run: 'echo "hello \${{ inputs.who }} \${{ vars.PLACE }} $EXTRA"; echo word=hi >> "$GITHUB_OUTPUT"; echo "::warning file=a.js,line=3::look here"' }
      - { name: Secret, run: 'echo "token is \${{ secrets.TOKEN }}"' }
  check:
    needs: build
    runs-on: ubuntu-latest
    steps: [{ uses: actions/checkout@v4 }, { name: Check, run: 'test "\${{ needs.build.outputs.word }}" = hi && test ! -e broken' }]
`
const slow = `name: Slow
on: push
jobs:
  wait:
    runs-on: ubuntu-latest
    steps: [{ name: Wait, run: 'echo waiting; sleep 60' }, { name: Clean, if: always(), run: echo cleaned }]
`

test('`shipway run --json` prints one document on standard output and keeps the log on standard error', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow })
  await using shipway = new Shipway()

  const end = await shipway.call(repository.root, 'run', '--json')

  expect(end.status).toBe(0)
  const document = JSON.parse(end.stdout) as Record<string, unknown>
  expect(document).toMatchObject({
    apiVersion: 'v1',
    kind: 'Run',
    id: expect.stringMatching(/^run_/),
    event: 'push',
    conclusion: 'success',
    sha: repository.git('rev-parse', 'HEAD'),
    annotations: [{ level: 'warning', message: 'look here', file: 'a.js', line: 3, job: 'build' }],
    jobs: [
      {
        id: 'build',
        name: 'build',
        conclusion: 'success',
        outputs: { word: 'hi' },
        steps: [
          { id: 'say', name: 'Say', outcome: 'success', conclusion: 'success', durationMs: expect.any(Number) },
          { name: 'Secret', outcome: 'success', conclusion: 'success', durationMs: expect.any(Number) },
        ],
      },
      {
        id: 'check',
        conclusion: 'success',
        outputs: {},
        steps: [{ name: 'Run actions/checkout@v4' }, { name: 'Check' }],
      },
    ],
  })
  expect(end.stderr).toContain('build │ hello')
})

test('inputs, variables, environment and secrets reach the steps, and the secret no eye', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow })
  await using shipway = new Shipway()
  shipway.env['TOKEN'] = 's3cr3t-value'

  const end = await shipway.call(
    repository.root,
    'run',
    'workflow_dispatch',
    '--input',
    'who=ann',
    '--var',
    'PLACE=here',
    '--env',
    'EXTRA=more',
    '--secret',
    'TOKEN',
  )

  expect(end.status).toBe(0)
  expect(end.stdout).toContain('hello ann here more')
  expect(end.stdout).toContain('token is ***')
  expect(end.stdout + end.stderr).not.toContain('s3cr3t-value')
  expect((await shipway.call(repository.root, 'logs', 'latest')).stdout).not.toContain('s3cr3t-value')

  const inArguments = await shipway.call(repository.root, 'run', '--secret', 'TOKEN=other', '--job', 'build')
  expect(inArguments.stderr).toContain('warning: TOKEN: other users of this machine can read values in arguments')
})

test('a red run ends with 1, shows the last lines of the step, and `why` and `logs` find it again', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow, broken: '' })
  await using shipway = new Shipway()

  const end = await shipway.call(repository.root, 'run')

  expect(end.status).toBe(1)
  expect(end.stdout).toMatch(/✗ run #1 CI failed in/)
  expect(end.stdout).toMatch(/check › Check, last lines:/)
  expect(end.stdout).toMatch(/logs: {2}shipway logs run_\w+ --job check/)
  expect((await shipway.call(repository.root, 'why', 'latest')).stdout).toMatch(/✗ job check: Step "Check"/)
  const failed = await shipway.call(repository.root, 'logs', '1', '--failed', '--timestamps')
  expect(failed.stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z /)
  expect((await shipway.call(repository.root, 'ps', '-q')).stdout).toMatch(/^run_\w+\n$/)
})

test('uncommitted changes run as they are, and leave index, branch and files alone', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow })
  await using shipway = new Shipway()
  repository.write({ broken: '', 'staged.txt': 'a' })
  repository.git('add', 'staged.txt')
  const before = repository.git('status', '--porcelain')

  const end = await shipway.call(repository.root, 'run')

  expect(end.status).toBe(1)
  expect(end.stderr).toContain('2 files have changes that nobody committed')
  expect(repository.git('status', '--porcelain')).toBe(before)
})

test('a detached HEAD runs and says what it counts as: a branch only when it is its newest commit', async () => {
  const rules = 'environments: { staging: { from: [main], targets: [../nowhere] } }\n'
  using repository = new Repository({ '.github/workflows/ci.yml': workflow, 'shipway.yml': rules })
  await using shipway = new Shipway()
  repository.git('checkout', '--quiet', '--detach')

  const newest = await shipway.call(repository.root, 'run')
  expect(newest).toMatchObject({ status: 0, stderr: expect.stringContaining('taking refs/heads/main') })

  repository.commit({ 'evil.txt': 'not on main\n' })
  const stray = await shipway.call(repository.root, 'run')
  expect(stray).toMatchObject({ status: 0, stderr: expect.stringContaining('--ref NAME names a branch or tag') })
  const refused = await shipway.call(repository.root, 'deploy', 'staging')
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('from the commit (of no branch or tag)') })
})

test('the first Ctrl-C cancels the run and tells how it ends', async () => {
  using repository = new Repository({ '.github/workflows/slow.yml': slow })
  await using shipway = new Shipway()

  const call = shipway.start(repository.root, 'run')
  await call.prints('wait │ waiting')
  call.child.kill('SIGINT')
  const end = await call.ended

  expect(end.status).toBe(130)
  expect(end.stdout).toContain('interrupted: cancelling run_')
  expect(end.stdout).toContain('wait │ cleaned')
  expect(end.stdout).toMatch(/⊘ run #1 Slow was cancelled/)
})

test('a run that SIGTERM ended says so, and not that somebody pressed Ctrl-C', async () => {
  using repository = new Repository({ '.github/workflows/slow.yml': slow })
  await using shipway = new Shipway()
  const call = shipway.start(repository.root, 'run')
  await call.prints('waiting')

  call.child.kill('SIGTERM')

  expect((await call.ended).status).toBe(143)
  const why = await shipway.call(repository.root, 'why', 'latest')
  expect(why.stdout).toContain('Ended by SIGTERM.')
  expect(why.stdout).not.toContain('Ctrl-C')
})

test('the second Ctrl-C leaves at once, and another command finds the run again', async () => {
  using repository = new Repository({ '.github/workflows/slow.yml': slow })
  await using shipway = new Shipway()

  const call = shipway.start(repository.root, 'run')
  await call.prints('wait │ waiting')
  call.child.kill('SIGINT')
  await call.prints('interrupted: cancelling')
  call.child.kill('SIGINT')
  const end = await call.ended

  expect(end.status).toBe(130)
  expect((await shipway.call(repository.root, 'ps', '-q')).stdout).toMatch(/^run_/)
  expect((await shipway.call(repository.root, 'agent', '--until-quiet')).status).toBe(0)
  expect((await shipway.call(repository.root, 'ps', '--open', '-q')).stdout).toBe('')
})

test('what `shipway init` writes runs green, seals a release, and goes to staging by itself and to production by approval', async () => {
  using repository = new Repository({ Makefile: 'test:\n\techo all is well\n' })
  await using shipway = new Shipway()

  const init = await shipway.call(repository.root, 'init')
  expect(init).toMatchObject({ status: 0, stdout: expect.stringContaining('make: Makefile') })
  expect((await shipway.call(repository.root, 'lint')).status).toBe(0)
  repository.commit({}, 'Add pipeline')

  expect((await shipway.call(repository.root, 'run')).status).toBe(0)
  const [row] = await statusOf(shipway, repository)
  expect(row).toMatchObject({
    environments: [
      { name: 'staging', state: 'ok' },
      { name: 'production', state: 'none' },
    ],
  })
  expect(readFileSync(path.join(repository.root, '.shipway/targets/staging/current/Makefile'), 'utf8')).toContain(
    'all is well',
  )

  const unasked = await shipway.call(repository.root, 'promote', 'production')
  expect(unasked).toMatchObject({ status: 2, stderr: expect.stringContaining('Add --yes') })
  const waiting = await shipway.call(repository.root, 'promote', 'production', '--yes')
  expect(waiting).toMatchObject({ status: 8, stdout: expect.stringContaining('1 approval') })
  expect((await shipway.call(repository.root, 'why')).stdout).toContain('APPROVAL_NEEDED')
  const approved = await shipway.call(repository.root, 'approve', 'production', '--reason', 'looks good')
  expect(approved).toMatchObject({ status: 0, stdout: expect.stringMatching(/✓ \S+ \S+ → production in/) })

  const [after] = await statusOf(shipway, repository)
  expect(after).toMatchObject({ environments: [{ state: 'ok' }, { name: 'production', state: 'ok' }], pending: [] })
  expect(repository.git('status', '--porcelain')).toBe('')
})

test('a lock holds a deployment back until it is lifted, and a second cancel says that it is over', async () => {
  using repository = new Repository({ Makefile: 'test:\n' })
  await using shipway = new Shipway()
  await shipway.call(repository.root, 'init', '-q')
  repository.commit({}, 'Add pipeline')
  await shipway.call(repository.root, 'run')

  expect((await shipway.call(repository.root, 'lock', 'staging', '--for', '2h', '--reason', 'moving')).status).toBe(0)
  const held = await shipway.call(repository.root, 'deploy', 'staging', '--json')
  expect(held.status).toBe(8)
  const deployment = JSON.parse(held.stdout) as { id: string }
  expect(deployment).toMatchObject({
    kind: 'Deployment',
    mode: 'deploy',
    state: 'waiting',
    reason: { code: 'ENVIRONMENT_LOCKED' },
  })
  expect((await shipway.call(repository.root, 'cancel', deployment.id)).status).toBe(0)
  expect((await shipway.call(repository.root, 'cancel', deployment.id)).status).toBe(3)
  expect((await shipway.call(repository.root, 'unlock', 'staging')).stdout).toContain('is unlocked')
  expect((await shipway.call(repository.root, 'deploy', 'staging')).status).toBe(0)
})

test('doctor is green in a sound project, and goes on after a failure', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow })
  await using shipway = new Shipway()
  await shipway.call(repository.root, 'run')

  const sound = await shipway.call(repository.root, 'doctor')
  expect(sound.stdout).toMatch(/home\tintegrity\tok/)
  expect(sound.status).toBe(0)

  repository.write({ 'shipway.yml': 'environments: 3\n' })
  chmodSync(shipway.home, 0o777)
  const ill = await shipway.call(repository.root, 'doctor', '--json')
  expect(ill.status).toBe(1)
  const { items } = JSON.parse(ill.stdout) as { items: readonly { name: string; status: string; fix?: string }[] }
  expect(items.find((item) => item.name === 'home')).toMatchObject({
    status: 'warn',
    fix: expect.stringContaining('chmod 700'),
  })
  expect(items.find((item) => item.name === 'shipway.yml')).toMatchObject({
    status: 'fail',
    fix: expect.stringContaining('shipway lint'),
  })
  expect(items.find((item) => item.name === 'workflows')).toMatchObject({ status: 'ok' })
})

test('the completion scripts are valid, and bash completes what the program offers', async () => {
  using repository = new Repository({ Makefile: 'test:\n' })
  await using shipway = new Shipway()
  await shipway.call(repository.root, 'init', '-q')
  const { stdout: script } = await shipway.call(repository.root, 'completion', 'bash')

  const bin = path.dirname(program)
  const probe = `${script}\nCOMP_WORDS=(shipway deploy st); COMP_CWORD=2; _shipway; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, SHIPWAY_HOME: shipway.home }

  expect(execFileSync('bash', ['-c', probe], { cwd: repository.root, env, encoding: 'utf8' })).toBe('staging\n')
})

async function statusOf(shipway: Shipway, repository: Repository): Promise<readonly unknown[]> {
  const { stdout } = await shipway.call(repository.root, 'status', '--json')
  return (JSON.parse(stdout) as { items: readonly unknown[] }).items
}

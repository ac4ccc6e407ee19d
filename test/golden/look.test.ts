import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCliRig } from '../rig/cli-world.ts'
import type { CliOptions, CliRig } from '../rig/cli-world.ts'
import { stageTwoApplications } from './scene.ts'

let rig: CliRig
beforeAll(async () => {
  rig = await startCliRig()
  await using store = await openScene(rig)
  await stageTwoApplications(store)
  const log = join(rig.home, 'runs/run_web2/logs/test.1.log')
  await mkdir(dirname(log), { recursive: true })
  await writeFile(log, 'Set up job 42\nnot ok 1\n  expected 2, found 3\nbye\n')
  await writeFile(
    `${log}.idx`,
    '[0,1795261200000,0,"system"]\n[14,1795261201000,1,"out"]\n[45,1795261202000,1,"out"]\n',
  )
})
afterAll(() => rig[Symbol.asyncDispose]())

const terminal: CliOptions = { isTTY: true, width: 100, env: { NO_COLOR: '1' } }

test.for<readonly [screen: string, argv: readonly string[], options: CliOptions]>([
  ['status-terminal', ['status'], terminal],
  ['status-colour', ['status'], { isTTY: true, width: 100 }],
  ['status-60-columns', ['status'], { ...terminal, width: 60 }],
  ['status-36-columns', ['status'], { ...terminal, width: 36 }],
  ['status-pipe', ['status'], {}],
  ['status-json', ['status', '--json'], {}],
  ['status-quiet', ['status', '-q'], {}],
  ['status-wide', ['status', '--wide'], terminal],
  ['ps-terminal', ['ps'], { ...terminal, width: 140 }],
  ['ps-80-columns', ['ps'], { ...terminal, width: 80 }],
  ['ps-50-columns', ['ps', '--app', 'web'], { ...terminal, width: 50 }],
  ['ps-pipe', ['ps', '--open'], {}],
  ['ps-json', ['ps', '--app', 'api', '--json'], {}],
  ['release-list', ['release', 'list'], terminal],
  ['release-list-pipe', ['release', 'list', '--app', 'web'], {}],
  ['release-show', ['release', 'show', 'v2.0.1', '--app', 'api'], {}],
  ['release-show-json', ['release', 'show', '222', '--app', 'web', '--json'], {}],
  ['env-list', ['env', 'list'], terminal],
  ['env-show', ['env', 'show', 'prod', '--app', 'web'], {}],
  ['why-everything', ['why'], {}],
  ['why-run', ['why', 'run_web2'], {}],
  ['why-run-json', ['why', '12', '--app', 'web', '--json'], {}],
  ['why-deployment', ['why', 'dep_prod'], {}],
  ['why-deployment-done', ['why', 'dep_a_web_prod'], {}],
  ['why-deployment-done-json', ['why', 'dep_a_web_prod', '--json'], {}],
  ['why-environment', ['why', 'prod', '--app', 'api'], {}],
  ['why-release', ['why', 'v2.0.1', '--app', 'api'], {}],
  ['why-release-elsewhere', ['why', 'v1.4.3', '--app', 'web'], {}],
  ['logs', ['logs', 'run_web2'], {}],
  ['logs-failed', ['logs', 'run_web2', '--failed', '--timestamps'], {}],
  ['logs-tail', ['logs', 'run_web2', '--job', 'test', '--tail', '2'], {}],
  ['logs-lines', ['logs', 'run_web2', '--job', 'test', '--lines', '2-3'], {}],
  ['logs-json', ['logs', 'run_web2', '--step', 'Unit tests', '--json'], {}],
  ['complete-command', ['__complete', '--', 're'], {}],
  ['complete-environment', ['__complete', '--', 'deploy', ''], {}],
  ['complete-release', ['__complete', '--', 'rollback', 'prod', '--to', 'v1'], {}],
  ['complete-flag', ['__complete', '--', 'deploy', 'prod', '--d'], {}],
])('%s', async ([screen, argv, options]) => {
  const end = await rig.run(argv, options)

  expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: '' })
  await expect(end.stdout.replaceAll(rig.folder, '/scratch')).toMatchFileSnapshot(`screen/${screen}.txt`)
})

/** Targets that all say that they run one release. */
const runs = (digit: string): CliOptions => ({
  services: {
    inspectTargets: async (_, { targets }) =>
      targets.map((target) => ({ target, state: { kind: 'known', current: digit.repeat(64), releases: [] } })),
  },
})
const silent: CliOptions = {
  services: {
    inspectTargets: async (_, { targets }) =>
      targets.map((target) => ({ target, state: { kind: 'unknown', why: 'ssh: connection refused' } })),
  },
}

test.for<readonly [screen: string, code: number, argv: readonly string[], options: CliOptions]>([
  ['deploy-dry-run', 3, ['deploy', 'prod', '--app', 'web', '--dry-run'], runs('1')],
  ['deploy-dry-run-waits', 8, ['deploy', 'prod', 'v1.4.2', '--app', 'web', '--dry-run'], runs('1')],
  ['deploy-dry-run-fresh', 0, ['deploy', 'dev', 'v1.4.3', '--app', 'web', '--dry-run'], {}],
  ['deploy-dry-run-same', 0, ['deploy', 'dev', 'v1.4.3', '--app', 'web', '--dry-run'], runs('3')],
  ['deploy-dry-run-silent', 5, ['deploy', 'dev', 'v1.4.3', '--app', 'web', '--dry-run'], silent],
  ['plan-deploy', 8, ['plan-deploy', 'prod', 'v1.4.2', '--app', 'web'], runs('1')],
  ['plan-deploy-refused', 3, ['plan-deploy', 'prod', 'v1.4.3', '--app', 'web'], runs('1')],
  ['plan-deploy-changes', 9, ['plan-deploy', 'prod', 'v1.4.2', '--app', 'web', '--exit-code', '-q'], runs('1')],
  ['plan-deploy-none', 0, ['plan-deploy', 'dev', 'v1.4.3', '--app', 'web', '--exit-code', '-q'], runs('3')],
  ['promote-dry-run', 0, ['promote', 'prod', '--app', 'api', '--dry-run'], runs('4')],
  ['rollback-dry-run', 0, ['rollback', 'prod', '--app', 'web', '--to', 'v1.4.1', '--dry-run', '--json'], runs('2')],
])('%s ends with %i and changes nothing', async ([screen, code, argv, options]) => {
  const end = await rig.run(argv, options)

  expect({ code: end.code, stderr: end.stderr }).toEqual({ code, stderr: '' })
  await expect(end.stdout.replaceAll(rig.folder, '/scratch')).toMatchFileSnapshot(`screen/${screen}.txt`)
})

test('what is piped has as many columns in each line, no colour, and nothing cut', async () => {
  for (const argv of [['status'], ['ps'], ['release', 'list'], ['env', 'list']]) {
    const { stdout } = await rig.run([...argv, '--color'], { width: 20 })
    const plain = (await rig.run(argv, { width: 20, env: { FORCE_COLOR: '1' } })).stdout
    const columns = new Set(
      plain
        .slice(0, -1)
        .split('\n')
        .map((line) => line.split('\t').length),
    )

    expect(columns.size, argv.join(' ')).toBe(1)
    expect(plain).not.toContain('\u001b')
    expect(plain).not.toContain('…')
    expect(stdout).toBe(plain)
  }
})

test('no line on a terminal is wider than the terminal', async () => {
  for (const argv of [['status'], ['ps'], ['release', 'list'], ['env', 'list']]) {
    const { stdout } = await rig.run(argv, { ...terminal, width: 90 })
    const widest = Math.max(...stdout.split('\n').map((line) => line.length))

    expect(widest, argv.join(' ')).toBeLessThanOrEqual(90)
  }
})

async function openScene(place: CliRig) {
  const store = await place.openStore()
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

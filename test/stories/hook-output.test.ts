import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../conformance/deploy-driver.ts'
import { describeWithBusybox } from '../rig/busybox.ts'
import { until } from '../rig/deploy.ts'
import { deploy, directoryRig, directoryStage } from '../rig/driver-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** What a hook says while somebody waits for it. It goes on once it was heard, so nothing here takes a time of its own. */
function hookOutput(openStage: () => ReturnType<typeof directoryStage>): void {
  test('what a hook says is heard while it runs, each line once, and its end with its secrets masked', async () => {
    await using rig = await directoryRig(openStage)
    const gate = join(rig.stage.path, 'gate')
    const restart = `echo begun; printf half; while [ ! -e "$SHIPWAY_PATH/gate" ]; do sleep 0.1; done; echo ' a line'; echo "$WORD"; echo last`
    const order = await rig.order(
      'v1',
      {},
      { restart, variables: { WORD: 'correct-horse' }, secrets: { S: 'correct-horse' } },
    )
    const lines: string[] = []
    await rig.driver.prepare(order, silent, signal)

    const switching = rig.driver.switch(order, (line) => lines.push(line), signal)
    await until('the hook was heard', () => lines.includes('begun'))
    expect(lines).not.toContain('half a line')
    writeFileSync(gate, '')
    await switching

    expect(lines.filter((line) => ['begun', 'half a line', '***', 'last'].includes(line))).toEqual([
      'begun',
      'half a line',
      '***',
      'last',
    ])
    expect(lines.join('\n')).not.toContain('correct-horse')
  })

  test('one that talks without end is heard at its beginning and its end, and the way back as well', async () => {
    await using rig = await directoryRig(openStage)
    const gate = join(rig.stage.path, 'gate')
    const back = `if [ -e "$SHIPWAY_PATH/gate" ]; then echo back again; fi`
    await deploy(rig.driver, await rig.order('v1', {}, { restart: back }))
    const many = 'i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); echo "line $i"; done'
    const restart = `echo begun; while [ ! -e "$SHIPWAY_PATH/gate" ]; do sleep 0.1; done; ${many}; exit 9`
    const order = await rig.order('v2', {}, { restart })
    const lines: string[] = []
    await rig.driver.prepare(order, silent, signal)

    const switching = failureOf(rig.driver.switch(order, (line) => lines.push(line), signal))
    await until('the hook was heard', () => lines.includes('begun'))
    writeFileSync(gate, '')
    const failure = await switching

    expect(failure).toMatchObject({ code: 'RESTART_FAILED' })
    const heard = lines.filter((line) => line.startsWith('line '))
    expect(heard.at(-1)).toBe('line 1000')
    expect(new Set(heard).size).toBe(heard.length)
    expect(heard.length).toBeLessThanOrEqual(200)
    expect(lines.filter((line) => line === 'begun')).toHaveLength(1)
    expect(lines.filter((line) => line === 'back again')).toHaveLength(1)
    expect(existsSync(join(rig.stage.path, 'current/version.txt'))).toBe(true)
  })
}

describe('a folder on this machine', () => {
  hookOutput(() => directoryStage())
})

const missing = await requireSystem(['openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`a folder over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  hookOutput(() => directoryStage(sshd))
})

describeWithBusybox((shell) => hookOutput(() => directoryStage(undefined, shell)))

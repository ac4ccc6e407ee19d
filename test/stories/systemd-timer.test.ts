import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { HostShell } from '#ports/host-shell.ts'
import { until } from '../rig/deploy.ts'
import { directoryRig, directoryStage, deploy } from '../rig/driver-stage.ts'
import { startUserSystemd } from '../rig/user-systemd.ts'

const signal = new AbortController().signal
const silent = (): void => undefined
const systemd = await startUserSystemd()
const missing = typeof systemd === 'string' ? systemd : undefined

function openShell(): HostShell {
  if (typeof systemd === 'string') throw new Error(systemd)
  return systemd.openShell({ FROM_THE_SESSION: "it's $HOME\nand more" })
}

/** Where the timer of a deployment runs, as the kernel says. */
function groupOf(path: string, deployment: string): string {
  const record = join(path, '.shipway/deployments', deployment)
  const pid = readFileSync(join(record, 'watcher'), 'utf8').trim()
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
}

const title = 'where systemd runs, the timer of a target is a unit of it, which no session takes along'
test.skipIf(missing !== undefined)(`${title} ${missing ?? ''}`, { tags: ['slow'] }, async () => {
  await using rig = await directoryRig(() => directoryStage(undefined, openShell))
  const { stage, driver } = rig
  const marks = join(stage.path, '../marks')
  // What going back starts must live on when the unit has ended.
  const restart = `cat version.txt >> '${marks}'; printf '%s' "$FROM_THE_SESSION" > '${marks}.session'; sleep 600 & echo $! > '${marks}.pid'`
  await deploy(driver, await rig.order('v1', {}, { restart }))
  const first = Number(readFileSync(`${marks}.pid`, 'utf8'))

  const second = await rig.order('v2', {}, { restart, confirmWithinMs: 3000 })
  await driver.prepare(second, silent, signal)
  await driver.switch(second, silent, signal)
  const pids = [first, Number(readFileSync(`${marks}.pid`, 'utf8'))]
  expect(groupOf(stage.path, second.deploymentId)).toContain(`shipway-${second.deploymentId}-`)
  await until('it goes back by itself', () =>
    existsSync(join(stage.path, '.shipway/deployments', second.deploymentId, 'done')),
  )

  expect(await stage.served('version.txt')).toBe('v1')
  expect(readFileSync(marks, 'utf8')).toBe('v1v2v1')
  expect(readFileSync(`${marks}.session`, 'utf8')).toBe("it's $HOME\nand more")
  const started = Number(readFileSync(`${marks}.pid`, 'utf8'))
  pids.push(started)
  expect(readFileSync(`/proc/${started}/cgroup`, 'utf8')).toContain(`shipway-${second.deploymentId}-`)
  expect(existsSync(join(stage.path, '.shipway/deployments', second.deploymentId, 'new/environment'))).toBe(false)

  const third = await rig.order('v3', {}, { restart })
  await driver.prepare(third, silent, signal)
  await driver.switch(third, silent, signal)
  const watcher = readFileSync(join(stage.path, '.shipway/deployments', third.deploymentId, 'watcher'), 'utf8').trim()
  await driver.confirm(third, silent, signal)
  await until('its timer is gone', () => !existsSync(`/proc/${watcher}`))
  pids.push(Number(readFileSync(`${marks}.pid`, 'utf8')))
  for (const pid of pids) process.kill(pid)
  expect(await stage.served('version.txt')).toBe('v3')
})

afterAll(async () => {
  if (typeof systemd !== 'string') await systemd[Symbol.asyncDispose]()
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endMarkedProcesses, isAlive, markedProcesses, markerVariable, stopService } from './process-sweep.ts'
import { makeScratch, removeScratch } from './scratch.ts'
import type { Scratch } from './scratch.ts'

const bystander = 'setInterval(() => {}, 1000); console.log("up")'
const stubborn = `process.on("SIGTERM", () => {}); ${bystander}`

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch(undefined)
})
afterEach(() => removeScratch(scratch))

describe('the sweep', () => {
  it('ends every process that carries the marker, the stubborn and the detached too, and no other', async () => {
    const marked = { ...process.env, [markerVariable]: scratch.marker }
    const own = await Promise.all([started(bystander, marked), started(stubborn, marked)])
    const other = await started(bystander, { ...process.env, [markerVariable]: `${scratch.marker}0` })

    expect(new Set(await markedProcesses(scratch.marker))).toEqual(new Set(own))
    await endMarkedProcesses(scratch)

    expect(await Promise.all(own.map(isAlive))).toEqual([false, false])
    expect(await isAlive(other)).toBe(true)
    process.kill(other, 'SIGKILL')
  })

  it('does not end a process whose number stands in an old pid file', async () => {
    const other = await started(bystander, process.env)
    await mkdir(join(scratch.staging.folder, 'run'), { recursive: true })
    await writeFile(join(scratch.staging.folder, 'run', 'service.pid'), `${other}\n`)

    await stopService(scratch.staging)

    expect(await isAlive(other)).toBe(true)
    process.kill(other, 'SIGKILL')
  })
})

/** Id of a detached process that is up. */
async function started(source: string, env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, ['--eval', source], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  child.unref()
  return child.pid ?? -1
}

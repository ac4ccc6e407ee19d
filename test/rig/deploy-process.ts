// A deployer as a process of its own, to be killed: `node deploy-process.ts <order.json> <prepare|switch>`. It does that
// much, says so, and waits for its end.
import { readFile } from 'node:fs/promises'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'

const [file = '', last] = process.argv.slice(2)
const order = JSON.parse(await readFile(file, 'utf8')) as TargetOrder
const signal = new AbortController().signal
const driver = directoryDriver({ openShell, clock: systemClock })
const tell = (line: string): void => void process.stdout.write(`${line}\n`)
await driver.prepare(order, tell, signal)
tell('prepared')
if (last === 'switch') {
  await driver.switch(order, tell, signal)
  tell('switched')
}
setInterval(() => undefined, 1000)

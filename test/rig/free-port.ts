import { createServer } from 'node:net'

/** Where the machine takes no ports for connections from, so that a port that is free now stays free. */
const portsFirst = 21_000
const portsPerWorker = 1000
let portsTaken = process.pid

/** A port of loopback that nobody listens on. Workers of vitest that live at the same time take them from different places. */
export async function freePort(): Promise<number> {
  const base = portsFirst + portsPerWorker * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 10)
  for (let tries = 0; tries < portsPerWorker; tries += 1) {
    portsTaken += 1
    const port = base + (portsTaken % portsPerWorker)
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${base} on is free`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (isListening) await new Promise((resolve) => server.close(resolve))
  return isListening
}

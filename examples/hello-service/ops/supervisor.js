// Keeps one worker of the service running and owns its port. Started by ops/service.js, with the target's folder as its
// only argument; needs no root and no package.
//
//   reload:   `current` ──► new worker ──listens──► old worker drains ──► gone ──► answer
//                               └──does not listen──► new worker is ended, the old one never noticed
//
// The port belongs to this process (node:cluster), which hands each connection to a worker; one that a leaving worker
// did not take goes to the next. So a release changes without a moment in which nobody listens.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

const startMsMax = 10_000
const drainMsMax = 10_000
const restartDelayMs = { first: 200, max: 5_000 }

process.chdir(process.argv[2])
/** The worker that answers, and the release folder that it came from. */
let serving
let stopping = false
let restartDelay = restartDelayMs.first
/** One change at a time: each waits for the one before, however that ended. */
let last = Promise.resolve()

function inTurn(change) {
  last = last.then(change, change)
  return last
}

/** Starts a worker from where `current` points now, and ends the one that served until then. */
async function replaceWorker() {
  const folder = existsSync('current') ? realpathSync('current') : process.cwd()
  const next = await startWorker(folder)
  const old = serving?.worker
  serving = { worker: next, folder }
  restartDelay = restartDelayMs.first
  if (old !== undefined) await endWorker(old)
  return { ok: true, pid: process.pid, worker: next.process.pid, folder }
}

async function startWorker(folder) {
  const file = join(folder, '.env')
  cluster.setupPrimary({ exec: join(folder, 'server.js'), cwd: folder, args: [] })
  const worker = cluster.fork(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {})
  const given = AbortSignal.timeout(startMsMax)
  try {
    await Promise.race([
      once(worker, 'listening', { signal: given }),
      once(worker, 'exit', { signal: given }).then(([code, signal]) => {
        throw new Error(`The new worker ended with ${signal ?? code} before it listened.`)
      }),
    ])
  } catch (error) {
    worker.process.kill('SIGKILL')
    throw given.aborted ? new Error(`The new worker did not listen within ${startMsMax / 1000} s.`) : error
  }
  worker.once('exit', () => void (serving?.worker === worker && workerLost()))
  return worker
}

async function endWorker(worker) {
  if (worker.isDead()) return
  const gone = once(worker, 'exit')
  if (worker.isConnected()) worker.send('drain')
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), drainMsMax)
  await gone
  clearTimeout(timer)
}

/** A worker that ended without being asked is replaced, more slowly each time that it fails again. */
function workerLost() {
  serving = undefined
  if (stopping) return
  console.error(`supervisor: the worker is gone; a new one starts in ${restartDelay} ms`)
  const delay = restartDelay
  restartDelay = Math.min(delay * 2, restartDelayMs.max)
  setTimeout(
    () => inTurn(() => (serving === undefined && !stopping ? replaceWorker() : undefined)).catch(workerLost),
    delay,
  )
}

async function stop() {
  stopping = true
  const worker = serving?.worker
  serving = undefined
  if (worker !== undefined) await endWorker(worker)
  return { ok: true, pid: process.pid }
}

function leave() {
  rmSync('run/service.pid', { force: true })
  rmSync('run/service.sock', { force: true })
  process.exit(0)
}

const commands = {
  reload: () => inTurn(replaceWorker),
  stop: () => inTurn(stop),
  status: async () => ({
    ok: serving !== undefined,
    pid: process.pid,
    worker: serving?.worker.process.pid,
    folder: serving?.folder,
  }),
}

/** One word in, one line of JSON out. The path is relative on purpose: a socket's path may have only 107 bytes. */
const control = createServer((connection) => {
  connection.on('error', () => {})
  connection.once('data', async (bytes) => {
    const word = bytes.toString().trim()
    const command = Object.hasOwn(commands, word)
      ? commands[word]
      : async () => ({ ok: false, error: `There is no command "${word}".` })
    const answer = await command().catch((error) => ({ ok: false, error: error.message }))
    connection.end(`${JSON.stringify(answer)}\n`, () => word === 'stop' && leave())
  })
})

process.on('SIGHUP', () => inTurn(replaceWorker).catch((error) => console.error(`supervisor: ${error.message}`)))
process.on('SIGTERM', () => void inTurn(stop).then(leave))
process.on('SIGINT', () => void inTurn(stop).then(leave))
process.on('disconnect', () => {}) // Whoever started this process may be gone before it is ready.

mkdirSync('run', { recursive: true })
try {
  const started = await inTurn(replaceWorker)
  rmSync('run/service.sock', { force: true })
  control.listen('run/service.sock')
  await once(control, 'listening')
  writeFileSync('run/service.pid', `${process.pid}\n`)
  report(started)
} catch (error) {
  report({ ok: false, error: error.message })
  process.exitCode = 1
}

/** Tells whoever started this process; after a failed start there is nothing to stay for. */
function report(answer) {
  const done = () => {
    if (process.connected) process.disconnect()
    if (!answer.ok) process.exit(1)
  }
  if (process.connected) process.send(answer, done)
  else done()
}

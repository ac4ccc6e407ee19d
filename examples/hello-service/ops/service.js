// Starts, reloads and stops the service on a target without root: `node ops/service.js reload`. Shipway calls it as the
// restart hook, in the folder of the release that `current` has just been pointed to.
//
// The target's folder holds releases/<id>/, `current` and, below run/, the pid file, the log and the control socket. In a
// working copy the folder of the service takes the place of the target.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'

const release = dirname(import.meta.dirname)
const target = basename(dirname(release)) === 'releases' ? dirname(dirname(release)) : release
const logLinesShown = 20
const goneMsMax = 5_000

process.chdir(target)
mkdirSync('run', { recursive: true })
const logSizeBefore = existsSync('run/service.log') ? statSync('run/service.log').size : 0

const commands = {
  start: async () => (await ask('status')) ?? (await start()),
  reload: async () => (await ask('reload')) ?? (await start()),
  stop: async () => gone((await ask('stop')) ?? { ok: true, note: 'was not running' }),
  status: async () => (await ask('status')) ?? { ok: false, error: 'The service is not running.' },
}
const word = process.argv[2] ?? ''
if (!Object.hasOwn(commands, word)) {
  console.error(`usage: node ops/service.js ${Object.keys(commands).join('|')}`)
  process.exit(2)
}

const answer = await commands[word]()
if (answer.ok) {
  console.log(`hello-service ${word}: ${sentence(answer)}`)
} else {
  console.error(`hello-service ${word}: ${answer.error ?? 'the worker is not running'}`)
  if (word !== 'status') console.error(newLogLines())
  process.exitCode = 1
}

function sentence({ folder, note, pid, worker }) {
  if (note !== undefined) return note
  if (worker === undefined) return `process ${pid} has ended`
  return `process ${pid} serves ${relative(target, folder) || 'this folder'} through worker ${worker}`
}

/** The supervisor's answer, or undefined when there is no supervisor. */
async function ask(command) {
  const connection = connect('run/service.sock')
  try {
    await once(connection, 'connect')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return undefined
    throw error
  }
  connection.write(`${command}\n`)
  let text = ''
  for await (const bytes of connection) text += bytes
  return text === '' ? { ok: false, error: 'The supervisor ended before it answered.' } : JSON.parse(text)
}

/** Its last answer is the last but one thing that a supervisor does: here it has really ended. */
async function gone(answer) {
  for (let waited = 0; answer.pid !== undefined && isAlive(answer.pid) && waited < goneMsMax; waited += 10)
    await sleep(10)
  return answer
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Starts the supervisor as a process of its own and waits until it says that the worker listens, or why it does not. */
async function start() {
  const log = openSync('run/service.log', 'a', 0o640)
  const supervisor = spawn(process.execPath, [join(release, 'ops', 'supervisor.js'), target], {
    cwd: target,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: inheritedEnvironment(),
  })
  const answered = once(supervisor, 'message').then(([message]) => message)
  const ended = once(supervisor, 'exit').then(([code]) => ({ ok: false, error: `The supervisor ended with ${code}.` }))
  const result = await Promise.race([answered, ended])
  supervisor.unref()
  if (supervisor.connected) supervisor.disconnect()
  return result
}

/**
 * The supervisor outlives the release that started it, so it inherits nothing that is true of that release alone: neither
 * the variables of its .env, which each worker gets anew, nor what Shipway tells a restart hook.
 */
function inheritedEnvironment() {
  const file = join(release, '.env')
  const ofRelease = existsSync(file) ? Object.keys(parseEnv(readFileSync(file, 'utf8'))) : []
  const kept = Object.entries(process.env).filter(([name]) => !ofRelease.includes(name) && !name.startsWith('SHIPWAY_'))
  return Object.fromEntries(kept)
}

function newLogLines() {
  const text = existsSync('run/service.log') ? readFileSync('run/service.log').subarray(logSizeBefore).toString() : ''
  return text
    .trimEnd()
    .split('\n')
    .slice(-logLinesShown)
    .map((line) => `  ${line}`)
    .join('\n')
}

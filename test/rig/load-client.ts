import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

/** What a client has seen that asks all the time, over a new connection each time. */
export interface LoadCount {
  readonly requests: number
  /** No complete answer, or one that is not 200. */
  readonly failures: number
  /** Of the failures: connections that broke or were refused. */
  readonly resets: number
  /** Answers by their body. */
  readonly bodies: Readonly<Record<string, number>>
  /** Of each kind of failure one. */
  readonly samples: readonly string[]
}

export interface LoadClient extends AsyncDisposable {
  count(): Promise<LoadCount>
  /** Lets the last requests end, and tells the end. */
  stop(): Promise<LoadCount>
}

export const loadAgent = 'shipway-load'

/** Starts a client in a process of its own, with so many connections at once. */
export function startLoad(url: string, connections: number): LoadClient {
  const child = fork(fileURLToPath(import.meta.url), [url, String(connections)], { stdio: 'inherit' })
  const ended = new Promise<never>((_, reject) =>
    child.once('exit', (code) => reject(new Error(`the load client has ended with ${code}`))),
  )
  ended.catch(() => undefined)
  const ask = (question: 'count' | 'stop'): Promise<LoadCount> => {
    const answer = new Promise<LoadCount>((resolve) => child.once('message', (count) => resolve(count as LoadCount)))
    child.send(question)
    return Promise.race([answer, ended])
  }
  return {
    count: () => ask('count'),
    stop: () => ask('stop'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Longer than anything may take: an answer that does not come is a failure. */
const silenceMs = 20_000

function load(url: URL, connections: number): void {
  const seen = { requests: 0, failures: 0, resets: 0, bodies: {} as Record<string, number> }
  const samples = new Set<string>()
  const text = `GET / HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: ${loadAgent}\r\nConnection: close\r\n\r\n`
  let isStopped = false
  let open = 0
  const tellEnd = (): void => {
    if (isStopped && open === 0) process.send?.({ ...seen, samples: [...samples] })
  }
  const fail = (why: string, isReset: boolean): void => {
    seen.failures += 1
    if (isReset) seen.resets += 1
    if (samples.size < 10) samples.add(why)
  }
  const judge = (answer: string, error: string | undefined): void => {
    seen.requests += 1
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    if (error !== undefined) fail(error, true)
    else if (!head.startsWith('HTTP/1.1 200 ')) fail(head.split('\r\n')[0] ?? '', head === '')
    else if (Number(/^content-length: (\d+)$/im.exec(head)?.[1]) !== body.length) fail('a part of an answer', true)
    else seen.bodies[body] = (seen.bodies[body] ?? 0) + 1
  }
  const ask = (): void => {
    let answer = ''
    let error: string | undefined
    open += 1
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text))
    socket.setTimeout(silenceMs, () => socket.destroy(new Error('silence')))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', (reason: NodeJS.ErrnoException) => (error = reason.code ?? reason.message))
    socket.on('close', () => {
      open -= 1
      judge(answer, error)
      if (isStopped) tellEnd()
      else ask()
    })
  }
  process.on('message', (question) => {
    if (question === 'count') process.send?.({ ...seen, samples: [...samples] })
    else {
      isStopped = true
      tellEnd()
    }
  })
  process.on('disconnect', () => process.exit(0))
  for (let count = 0; count < connections; count += 1) ask()
}

const [, script, url, connections] = process.argv
if (script === fileURLToPath(import.meta.url) && url !== undefined) load(new URL(url), Number(connections))

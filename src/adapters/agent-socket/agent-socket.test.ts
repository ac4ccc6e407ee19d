import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { AgentHandlers, AgentNotice } from '#ports/agent-socket.ts'
import { agentSocket } from './agent-socket.ts'

/** An agent that does nothing when it is called, and never comes to rest. */
const deaf: AgentHandlers = { poke: () => undefined, whenQuiet: () => new Promise(() => undefined) }

let root: string

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'shipway-socket-'))
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

describe("An agent's socket", () => {
  test('lets a watcher poke the agent and hear what it says', async () => {
    const poked = Promise.withResolvers<void>()
    const heard = Promise.withResolvers<AgentNotice>()
    await using server = await agentSocket(root).listen({ ...deaf, poke: () => poked.resolve() })
    using connection = (await agentSocket(root).connect((notice) => heard.resolve(notice)))!

    connection.poke()
    await poked.promise
    server.notify({ type: 'changed', subject: 'run_1' })

    expect(await heard.promise).toEqual({ type: 'changed', subject: 'run_1' })
  })

  test('tells a watcher that asks when the agent has come to rest, and knows who stays', async () => {
    const rest = Promise.withResolvers<void>()
    const heard = Promise.withResolvers<AgentNotice>()
    await using server = await agentSocket(root).listen({ ...deaf, whenQuiet: () => rest.promise })
    using _visitor = (await agentSocket(root).connect(() => undefined))!
    {
      using connection = (await agentSocket(root).connect((notice) => heard.resolve(notice)))!
      connection.follow()
      connection.askQuiet()
      await expect.poll(() => server.followers).toBe(1)

      rest.resolve()

      expect(await heard.promise).toEqual({ type: 'quiet' })
    }
    await expect.poll(() => server.followers).toBe(0)
  })

  test('is not there when nobody listens, and when a dead agent left its file behind', async () => {
    expect(await agentSocket(root).connect(() => undefined)).toBeUndefined()
    writeFileSync(path.join(root, 'agent.sock'), '')
    expect(await agentSocket(root).connect(() => undefined)).toBeUndefined()
    await using _server = await agentSocket(root).listen(deaf)
    using connection = await agentSocket(root).connect(() => undefined)
    expect(connection).toBeDefined()
  })

  test('tells a watcher that the agent is gone', async () => {
    const server = await agentSocket(root).listen(deaf)
    using connection = (await agentSocket(root).connect(() => undefined))!
    await server[Symbol.asyncDispose]()
    await connection.closed
  })

  test('outlives an agent that ends in the middle of a word while it is poked', async () => {
    const agent = createServer((socket) => {
      socket.on('error', () => undefined).write('{"type":"changed","subject":"run_1"}\n{"type":"chan')
      socket.once('data', () => socket.destroy())
    })
    await new Promise<void>((resolve) => agent.listen(path.join(root, 'agent.sock'), resolve))
    const heard: AgentNotice[] = []
    using connection = (await agentSocket(root).connect((notice) => heard.push(notice)))!

    const isOver = connection.closed.then(() => true)
    const turn = () => new Promise<boolean>((resolve) => setImmediate(resolve, false))
    while (!(await Promise.race([isOver, turn()]))) connection.poke()
    connection.poke()

    expect(heard).toEqual([{ type: 'changed', subject: 'run_1' }])
    await new Promise((resolve) => agent.close(resolve))
  })

  test('keeps nothing for a watcher that does not read: a notice is a hint, and there is a later one', async () => {
    const isThere = Promise.withResolvers<void>()
    await using server = await agentSocket(root).listen({ ...deaf, poke: () => isThere.resolve() })
    const watcher = connect(path.join(root, 'agent.sock')).pause()
    onTestFinished(() => void watcher.destroy())
    watcher.write('\n')
    await isThere.promise
    const count = 100_000

    for (let index = 0; index < count; index += 1) server.notify({ type: 'changed', subject: 'run_1' })
    let heard = ''
    watcher.resume().on('data', (chunk: Buffer) => (heard += chunk.toString()))
    await expect
      .poll(() => {
        server.notify({ type: 'changed', subject: 'the last one' })
        return heard
      })
      .toContain('the last one')

    expect(heard.split('run_1').length).toBeLessThan(count / 10)
  })

  test('is not put into a folder of somebody else, where he could take its place', async () => {
    const temporary = process.env['TMPDIR']
    onTestFinished(() => {
      if (temporary === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = temporary
    })
    process.env['TMPDIR'] = root
    mkdirSync(path.join(root, `shipway-${userInfo().uid}`))
    chmodSync(path.join(root, `shipway-${userInfo().uid}`), 0o777)

    expect(() => agentSocket(path.join(root, 'x'.repeat(100)))).toThrow(
      expect.objectContaining({ code: 'SOCKET_FOLDER_UNSAFE' }),
    )
  })

  test('works in a home whose path is too long for a socket', async () => {
    const deep = path.join(root, 'a'.repeat(90), 'b'.repeat(90))
    mkdirSync(deep, { recursive: true })
    await using _server = await agentSocket(deep).listen(deaf)
    using connection = await agentSocket(deep).connect(() => undefined)
    expect(connection).toBeDefined()
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentNotice } from '#ports/agent-socket.ts'
import { agentSocket } from './agent-socket.ts'

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
    await using server = await agentSocket(root).listen(() => poked.resolve())
    using connection = (await agentSocket(root).connect((notice) => heard.resolve(notice)))!

    connection.poke()
    await poked.promise
    server.notify({ type: 'changed', subject: 'run_1' })

    expect(await heard.promise).toEqual({ type: 'changed', subject: 'run_1' })
  })

  test('is not there when nobody listens, and when a dead agent left its file behind', async () => {
    expect(await agentSocket(root).connect(() => undefined)).toBeUndefined()
    writeFileSync(path.join(root, 'agent.sock'), '')
    expect(await agentSocket(root).connect(() => undefined)).toBeUndefined()
    await using _server = await agentSocket(root).listen(() => undefined)
    using connection = await agentSocket(root).connect(() => undefined)
    expect(connection).toBeDefined()
  })

  test('tells a watcher that the agent is gone', async () => {
    const server = await agentSocket(root).listen(() => undefined)
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

  test('works in a home whose path is too long for a socket', async () => {
    const deep = path.join(root, 'a'.repeat(90), 'b'.repeat(90))
    mkdirSync(deep, { recursive: true })
    await using _server = await agentSocket(deep).listen(() => undefined)
    using connection = await agentSocket(deep).connect(() => undefined)
    expect(connection).toBeDefined()
  })
})

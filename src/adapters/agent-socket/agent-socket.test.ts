import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

  test('works in a home whose path is too long for a socket', async () => {
    const deep = path.join(root, 'a'.repeat(90), 'b'.repeat(90))
    mkdirSync(deep, { recursive: true })
    await using _server = await agentSocket(deep).listen(() => undefined)
    using connection = await agentSocket(deep).connect(() => undefined)
    expect(connection).toBeDefined()
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunnerMessage } from '#core/run/job-order.ts'
import { runnerLauncher } from './runner-launcher.ts'

let marks: string
beforeEach(() => {
  marks = mkdtempSync(path.join(tmpdir(), 'shipway-marks-'))
})
afterEach(() => {
  rmSync(marks, { recursive: true, force: true })
})

/** Starts a program in the place of a runner; resolves with what it said when it is gone. */
async function launch(script: string): Promise<{ readonly messages: readonly RunnerMessage[]; readonly why: string }> {
  const messages: RunnerMessage[] = []
  const why = await new Promise<string>((resolve) => {
    runnerLauncher({ program: { node: process.execPath, args: ['-e', script], env: process.env }, marks }).launch({
      onMessage: (message) => messages.push(message),
      onExit: resolve,
    })
  })
  return { messages, why }
}

test('a line without an end is cut with its runner before it fills the memory of the agent', async () => {
  const endless = `
    console.log('{"type":"ready","pid":1}')
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const go = () => process.stdout.write(piece, go)
    go()`

  const { messages, why } = await launch(endless)

  expect(messages).toEqual([{ type: 'ready', pid: 1 }])
  expect(why).toMatch(/^the runner sent a line of more than \d+ bytes/)
})

test('what is no message ends the runner, not the agent', async () => {
  const { why } = await launch(`console.log('hello'); setInterval(() => {}, 1000)`)

  expect(why).toBe('the runner sent a line that is no message')
})

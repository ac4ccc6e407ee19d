import { receiveMessageOnPort } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { Matcher } from '#core/matcher/matcher.ts'
import type { MatchValues, MatcherModel } from '#core/matcher/model.ts'
import { cell } from './conversation.ts'
import type { Found, Question } from './conversation.ts'

/** Streams whose half matches are kept: those of the steps that run. */
const streamsMax = 100

/** The life of the worker: takes questions until it is ended. An expression of a stranger may keep it busy for ever, nobody else. */
export function serveMatches(port: MessagePort, memory: Int32Array): void {
  let models: readonly MatcherModel[] = []
  const streams = new Map<string, readonly Matcher[]>()
  for (let asked = 0; ; asked += 1) {
    Atomics.wait(memory, cell.asked, asked)
    const question = receiveMessageOnPort(port)?.message as Question | undefined
    if (question?.kind === 'matchers') {
      models = question.matchers
      streams.clear()
    }
    const matchers =
      question?.kind === 'scan' ? (streams.get(question.stream) ?? models.map((model) => new Matcher(model))) : []
    if (streams.size > streamsMax) streams.clear()
    if (question?.kind === 'scan') streams.set(question.stream, matchers)
    const found = question?.kind === 'scan' ? scan(matchers, question.lines, memory) : []
    port.postMessage(found)
    Atomics.store(memory, cell.answered, asked + 1)
    Atomics.notify(memory, cell.answered)
  }
}

function scan(matchers: readonly Matcher[], lines: readonly string[], memory: Int32Array): readonly Found[] {
  const found: Found[] = []
  for (const [index, line] of lines.entries()) {
    Atomics.store(memory, cell.line, index)
    const values = scanLine(matchers, line, memory)
    if (values !== undefined) found.push({ line: index, values })
  }
  return found
}

/** The newest matcher that takes the line; the others start again. */
function scanLine(matchers: readonly Matcher[], line: string, memory: Int32Array): MatchValues | undefined {
  for (const [index, matcher] of matchers.entries()) {
    const values = matcher.match(line, () => {
      Atomics.store(memory, cell.matcher, index)
      Atomics.add(memory, cell.tick, 1)
    })
    if (values === undefined) continue
    for (const other of matchers) if (other !== matcher) other.reset()
    if ((values.message ?? '').trim() !== '') return values
  }
  return undefined
}

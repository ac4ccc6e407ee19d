/**
 * Our own cases of whole runs, for what the corpora do not touch. A file of `case/` has three parts between `---`: what the call is, the
 * workflow, and what is to be true of the run (`RunFacts`).
 *
 * The steps of a case may leave notes for each other in the folder `$NOTES`, which the case has for itself.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { LiveAgent } from '../rig/live-agent.ts'
import { Repository } from '../rig/repository.ts'
import type { Call, CallResult, Shipway } from '../rig/shipway.ts'
import { until } from '../rig/web-fleet.ts'
import { checkRun } from './run-fact.ts'
import type { RunFacts } from './run-fact.ts'

/** The first part of a case. */
interface CallPart {
  /** What the case shows, as a sentence. */
  readonly about: string
  /** `push` when nothing is said. */
  readonly event?: string
  readonly flags?: readonly string[]
  /** Variables of the call's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Files of the repository besides the workflow, below `case/<name>/`, or at the root with `/` before them. */
  readonly files?: Readonly<Record<string, string>>
  /** `shipway cancel` is called when the note of this name is there. */
  readonly cancelAt?: string
  /** Why the case is not met today: it runs as an expected failure. */
  readonly gap?: string
}

interface Case {
  readonly name: string
  readonly call: CallPart
  readonly workflow: string
  readonly facts: RunFacts
}

const folder = path.join(import.meta.dirname, 'case')
const cases = readdirSync(folder).map((file) => readCase(file))

describe('our own whole runs', { tags: ['slow'] }, () => {
  let agent: LiveAgent
  let repository: Repository

  beforeAll(async () => {
    repository = new Repository()
    for (const { name, call, workflow } of cases) {
      repository.write({ [`case/${name}/workflow.yml`]: workflow })
      for (const [file, text] of Object.entries(call.files ?? {}))
        repository.write({ [file.startsWith('/') ? file.slice(1) : `case/${name}/${file}`]: text })
    }
    repository.commit({}, 'Add the cases')
    agent = await LiveAgent.start()
  })
  afterAll(async () => {
    await agent[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
  })

  test('there are as many as expected', () => {
    expect(cases.length).toBeGreaterThan(20)
  })

  describe.concurrent('case', () => {
    for (const one of cases) {
      const { gap, about } = one.call
      const run = gap === undefined ? test : test.fails
      run(gap === undefined ? `${one.name}: ${about}` : `gap: ${one.name}: ${gap}`, async () => {
        checkRun(await callOf(one, agent, repository), one.facts)
      })
    }
  })
})

async function callOf({ name, call }: Case, agent: LiveAgent, repository: Repository): Promise<CallResult> {
  const notes = path.join(agent.home, 'notes', name)
  mkdirSync(notes, { recursive: true })
  const flags = (call.flags ?? []).map((flag) => flag.replaceAll('{case}', `case/${name}`))
  const client = call.gap === undefined ? agent.client(call.env) : agent.quietClient
  const place = ['--workflow', `case/${name}`, '--env', `NOTES=${notes}`]
  const run = client.start(repository.root, 'run', call.event ?? 'push', '--json', ...place, ...flags)
  if (call.cancelAt !== undefined) await cancelAt(path.join(notes, call.cancelAt), run, client)
  return run.ended
}

async function cancelAt(note: string, run: Call, client: Shipway): Promise<void> {
  await until('the step has begun', () => existsSync(note))
  const [id = ''] = /run_\w+/.exec(run.printed()) ?? []
  expect((await client.call(client.home, 'cancel', id)).status).toBe(0)
}

function readCase(file: string): Case {
  const parts = readFileSync(path.join(folder, file), 'utf8').split(/^---\n/m)
  const [call = '', workflow = '', facts = ''] = parts
  if (parts.length !== 3)
    throw new Error(`${file} must have three parts between lines of "---", but it has ${parts.length}.`)
  return { name: path.basename(file, '.yml'), call: parse(call) as CallPart, workflow, facts: parse(facts) as RunFacts }
}

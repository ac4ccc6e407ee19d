/**
 * The whole runs of act's test suite, each through the real command line. `act/expect.yml` says what is to be true of each, read from the
 * workflow itself: outcomes of all jobs and steps, outputs, and the lines that its steps print.
 *
 * A red case under "gap" has begun to work: take its line out of `gaps` in `act/expect.yml`.
 */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { LiveAgent } from '../rig/live-agent.ts'
import { Repository } from '../rig/repository.ts'
import { conformanceRoot, missingData, readData } from './data.ts'
import { checkRun } from './run-fact.ts'
import type { RunFacts } from './run-fact.ts'

interface ActCase {
  readonly name: string
  readonly dir: string
  readonly event: string
  readonly mode: 'run' | 'dryrun' | 'plan'
  readonly eventFile?: string
  readonly inputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly matrixFilter?: Readonly<Record<string, readonly string[]>>
}

interface Expectation extends RunFacts {
  /** Flags besides those that the case itself asks for. */
  readonly flags?: readonly string[]
}

interface Expectations {
  /** By `folder`, `folder [event]` or `folder [dry]`. */
  readonly cases: Readonly<Record<string, Expectation>>
  /** Why a case is not met today, by the same key. */
  readonly gaps: Readonly<Record<string, string>>
}

const missing = missingData('actions/act')
const testdata = path.join(conformanceRoot, 'actions/act/testdata')
const expectations = parse(readFileSync(path.join(import.meta.dirname, 'act/expect.yml'), 'utf8')) as Expectations

describe.skipIf(missing !== undefined)(`act's whole runs ${missing ?? ''}`, { tags: ['slow'] }, () => {
  const cases = missing === undefined ? groupCases() : new Map<string, ActCase>()
  let agent: LiveAgent
  let repository: Repository

  beforeAll(async () => {
    repository = new Repository()
    cpSync(testdata, repository.root, { recursive: true, verbatimSymlinks: true })
    repository.commit({}, 'Add the workflows')
    // The cases ask for a shell that is told by nobody but itself.
    agent = await LiveAgent.start({ env: { SHELL: undefined } })
  })
  afterAll(async () => {
    await agent[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
  })

  test('every case whose files are given has its facts, and every fact its case', () => {
    expect(cases.size).toBeGreaterThan(55)
    expect([...cases.keys()].toSorted()).toEqual(Object.keys(expectations.cases).toSorted())
    expect(Object.keys(expectations.gaps).filter((key) => !cases.has(key))).toEqual([])
  })

  describe.concurrent('case', () => {
    for (const [key, one] of cases) {
      const gap = expectations.gaps[key]
      const run = gap === undefined ? test : test.fails
      run(gap === undefined ? key : `gap: ${key}: ${gap}`, async () => {
        const facts = expectations.cases[key] ?? {}
        const client = gap === undefined ? agent.client() : agent.quietClient
        const end = await client.call(repository.root, 'run', ...argumentsOf(one), ...(facts.flags ?? []))
        checkRun(end, facts)
      })
    }
  })
})

/** The cases whose files are given. Those that differ in nothing but where act runs them are one. */
function groupCases(): ReadonlyMap<string, ActCase & { names: readonly string[] }> {
  const groups = new Map<string, ActCase & { names: string[] }>()
  for (const one of JSON.parse(readData('actions/act/cases.json')) as readonly ActCase[]) {
    if (!existsSync(path.join(testdata, folderOf(one)))) continue
    const key = `${folderOf(one)}${suffixOf(one)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ...one, names: [one.name] })
    else group.names.push(one.name)
  }
  return groups
}

function folderOf({ dir }: ActCase): string {
  return dir.replace(/^pkg\/runner\/testdata\//, '')
}

/** Two cases of a folder differ in the event, in whether they run at all, or in what act's own test asks of them. */
function suffixOf({ name, mode }: ActCase): string {
  if (mode !== 'run') return ' [dry]'
  if (name.startsWith('TestPullAndPostStepFailureIsJobFailure/checkout')) return ' [no image]'
  return /\[\w+\]$/.exec(name)?.[0].replace(/^/, ' ') ?? ''
}

function argumentsOf(one: ActCase): readonly string[] {
  const pairs = (flag: string, values: Readonly<Record<string, string>> | undefined): readonly string[] =>
    Object.entries(values ?? {}).flatMap(([name, value]) => [flag, `${name}=${value}`])
  const folder = folderOf(one)
  return [
    one.event.startsWith('(') ? 'push' : one.event,
    '--json',
    '--workflow',
    folder,
    ...(one.mode !== 'run' ? ['--dry-run'] : []),
    ...(one.eventFile === undefined ? [] : ['--event-file', one.eventFile.replace(/^pkg\/runner\/testdata\//, '')]),
    ...pairs('--input', one.inputs),
    ...pairs('--env', one.env),
    ...pairs('--secret', one.secrets),
    ...Object.entries(one.matrixFilter ?? {}).flatMap(([key, values]) =>
      values.flatMap((value) => ['--matrix', `${key}:${value}`]),
    ),
  ]
}

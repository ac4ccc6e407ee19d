/**
 * The whole runs of act's test suite, each through the real command line. `act/expect.yml` says what is to be true of each, read from the
 * workflow itself: outcomes of all jobs and steps, outputs, and the lines that its steps print.
 *
 * A red case under "gap" has begun to work: take its line out of `gaps` in `act/expect.yml`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LiveAgent } from '../rig/live-agent.ts'
import type { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { actArguments, actCases, actExpectations, actRepository, missingAct } from './act-case.ts'
import type { ActCase, Expectation } from './act-case.ts'
import { checkRun } from './run-fact.ts'

describe.skipIf(missingAct !== undefined)(`act's whole runs ${missingAct ?? ''}`, { tags: ['slow'] }, () => {
  const cases = missingAct === undefined ? actCases() : new Map<string, ActCase>()
  let agent: LiveAgent
  let repository: Repository

  beforeAll(async () => {
    repository = actRepository()
    // The cases ask for a shell that is told by nobody but itself.
    agent = await LiveAgent.start({ env: { SHELL: undefined } })
  })
  afterAll(async () => {
    await agent[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
  })

  test('every case whose files are given has its facts, and every fact its case', () => {
    expect(cases.size).toBeGreaterThan(55)
    expect([...cases.keys()].toSorted()).toEqual(Object.keys(actExpectations.cases).toSorted())
    expect(Object.keys(actExpectations.gaps).filter((key) => !cases.has(key))).toEqual([])
  })

  describe.concurrent('case', () => {
    for (const [key, one] of cases) {
      if (actExpectations.cases[key]?.container === true) continue
      const gap = actExpectations.gaps[key]
      const run = gap === undefined ? test : test.fails
      run(gap === undefined ? key : `gap: ${key}: ${gap}`, async () => {
        const facts = actExpectations.cases[key] ?? {}
        const call = ['run', ...actArguments(one), ...(facts.flags ?? [])]
        if (facts.actions !== undefined) return checkApart(repository.root, facts, call)
        const client = gap === undefined ? agent.client() : agent.quietClient
        const end = await client.call(repository.root, ...call)
        checkRun(end, facts)
      })
    }
  })
})

/** In a home of its own, whose store has the actions that the case names. */
async function checkApart(root: string, facts: Expectation, call: readonly string[]): Promise<void> {
  await using shipway = new Shipway()
  for (const [name, folder] of Object.entries(facts.actions ?? {})) {
    const added = await shipway.call(root, 'actions', 'add', folder, name, '--no-lock')
    expect(added.status, added.stderr).toBe(0)
  }
  checkRun(await shipway.call(root, ...call), facts)
}

import { afterAll, expect, test } from 'vitest'
import type { GateAnswer } from '#core/gate/answer.ts'
import { answersAbout, answersFor, saveAnswer } from '#store/gate-answer.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const pending: GateAnswer = { gate: 'sonarqube', kind: 'pending', why: 'not finished' }
const reviews: GateAnswer = { gate: 'review', kind: 'reviews', pulls: [] }
const place = { subject: 'dep_1', environment: 'production' }

onEveryEngine('Answers of other services', engines, (engine) => {
  test('are kept one per gate and whoever asks, the last one, with the time of the first question', async () => {
    await using driver = await migratedStore(engine)
    const save = async (answer: GateAnswer, at: number, since = 1) =>
      driver.transaction((q) => saveAnswer(q, place, { answer, since, at, release: 'r'.repeat(64) }))
    await save(pending, 1)
    await save(reviews, 2)
    await save({ ...pending, why: 'still not' }, 3)
    await driver.transaction((q) => saveAnswer(q, { ...place, subject: 'run_1' }, { answer: pending, since: 9, at: 9 }))

    expect(await answersFor(driver.query, place)).toEqual([
      { since: 1, at: 2, answer: reviews },
      { since: 1, at: 3, answer: { ...pending, why: 'still not' } },
    ])
    expect(await answersAbout(driver.query, 'r'.repeat(64))).toMatchObject([
      { gate: 'sonarqube', at: 3, ...place },
      { gate: 'review', at: 2, ...place },
    ])
  })
})

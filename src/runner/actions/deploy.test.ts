import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, printed } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

describe('shipway/deploy', () => {
  const steps = [
    { uses: 'shipway/deploy@v1', id: 'deploy', with: { environment: 'staging' } },
    { run: expr("format('echo {0} {1}', steps.deploy.outputs.version, steps.deploy.outputs.url)") },
  ]

  test('asks the agent, shows its progress, and passes on what was deployed', async () => {
    const order = rig.begin({ jobKey: 'deploy-ok', steps, secrets: { KEY: 'progress-secret' } })
    const { jobKey, runId, attempt } = order
    const message = await rig.message((found) => found.type === 'request' && found.jobKey === jobKey)
    expect(message).toEqual({
      type: 'request',
      runId,
      jobKey,
      attempt,
      requestId: 1,
      request: { kind: 'deploy', environment: 'staging' },
    })
    rig.send({ type: 'progress', requestId: 1, line: 'switch web1 progress-secret' })
    const result = { deployment: 'dep_1', release: 'abc', version: 'v1.0.0', url: 'https://s.example.org' }
    rig.send({ type: 'reply', requestId: 1, result })
    const job = await rig.ended(order)
    expect(job.log).toContain('switch web1 ***\n')
    expect(printed(job)).toEqual(['v1.0.0 https://s.example.org'])
  })

  test('fails with the reason when it is refused', async () => {
    const order = rig.begin({ jobKey: 'deploy-no', steps })
    await rig.message((found) => found.type === 'request' && found.jobKey === order.jobKey)
    const error = { code: 'APPROVAL_REJECTED', kind: 'refused', message: 'Bob said no.', hint: 'Ask Bob.' }
    rig.send({ type: 'reply-error', requestId: 2, error })
    const job = await rig.ended(order)
    expect(job.result.reason).toBe('Step 1 "Run shipway/deploy@v1" failed: Bob said no.')
    expect(job.log).toContain('##[error]Bob said no.\nAsk Bob.\n')
  })

  test('takes the environment of its job, and stops waiting when the job is cancelled', async () => {
    const order = rig.begin({
      jobKey: 'deploy-wait',
      leg: { environment: { name: 'production' } },
      steps: [{ uses: 'shipway/deploy@v1' }],
    })
    const message = await rig.message((found) => found.type === 'request' && found.jobKey === order.jobKey)
    expect(message).toMatchObject({ request: { environment: 'production' } })
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Not today.' })
    const job = await rig.ended(order)
    expect(job.steps[1]).toMatchObject({ conclusion: 'cancelled', reason: 'Not today.' })
  })

  test('needs an environment', async () => {
    const job = await rig.run({ steps: [{ uses: 'shipway/deploy@v1' }] })
    expect(job.result.reason).toContain('the job needs `environment:`')
  })
})

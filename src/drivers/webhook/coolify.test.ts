import { describe, expect, test } from 'vitest'
import { systemClock } from '#adapters/clock/system-clock.ts'
import type { CoolifyCall, WebhookTarget } from '#core/webhook/model.ts'
import type { Release } from '#core/release/model.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'
import { Coolify, coolifyToken } from '../../../test/rig/coolify.ts'
import { someRelease } from '../../../test/rig/some-release.ts'
import { answerBytesMax } from './client.ts'
import { webhookDriver } from './driver.ts'

const signal = new AbortController().signal
const driver = webhookDriver({ clock: systemClock })
const [v1, v2] = [someRelease('v1.0.0'), someRelease('v2.0.0')]

function targetOf(coolify: Coolify, call: Partial<CoolifyCall> = {}): WebhookTarget {
  return {
    kind: 'webhook',
    name: 'coolify',
    url: `${coolify.url}/api/v1`,
    call: {
      kind: 'coolify',
      application: 'app1',
      token: 'TOKEN',
      set: { docker_registry_image_tag: '${{ release.version }}' },
      force: false,
      withinMs: 5000,
      everyMs: 10,
      ...call,
    },
  }
}

function orderOf(target: WebhookTarget, release: Release, previous?: Release): TargetOrder<WebhookTarget> {
  return {
    deploymentId: 'dep_1',
    application: 'web',
    environment: 'production',
    target,
    release,
    blobs: '/nowhere',
    ...(previous === undefined ? {} : { expected: previous.id, previous }),
    variables: {},
    secrets: { TOKEN: coolifyToken },
    confirmWithinMs: 1000,
    retain: 2,
  }
}

/** Switches, and returns what was told. */
async function deploy(order: TargetOrder<WebhookTarget>): Promise<readonly string[]> {
  const lines: string[] = []
  await driver.prepare(order, (line) => lines.push(line), signal)
  await driver.switch(order, (line) => lines.push(line), signal)
  await driver.confirm(order, (line) => lines.push(line), signal)
  return lines
}

describe('a deployment through Coolify', () => {
  test('sets the tag, asks for a deployment, and follows it to its end', async () => {
    await using coolify = await Coolify.start()

    const lines = await deploy(orderOf(targetOf(coolify), v1))

    expect(coolify.running).toBe('v1.0.0')
    expect(coolify.calls).toEqual([
      'GET /applications/app1',
      'PATCH /applications/app1',
      'POST /deploy?uuid=app1&force=false',
      ...Array.from({ length: 3 }, () => 'GET /deployments/deployment1'),
    ])
    expect(lines).toEqual([
      'the platform says running:healthy',
      'telling the platform to deploy v1.0.0; it goes back only when it is told to',
      'setting tag v1.0.0',
      'deployment deployment1 of app1 has begun',
      'the platform says queued',
      'the platform says in_progress',
      'the platform says finished',
      'confirmed v1.0.0',
    ])
  })

  test.for([404, 405] as const)('asks an older server, which answers POST with %d, by GET', async (status) => {
    await using coolify = await Coolify.start()
    coolify.mood.old = status

    await deploy(orderOf(targetOf(coolify), v1))

    expect(coolify.running).toBe('v1.0.0')
    expect(coolify.calls).toContain('GET /deploy?uuid=app1&force=false')
  })

  test('comes again when the platform asks for it', async () => {
    await using coolify = await Coolify.start()
    coolify.mood.busy = 3

    await deploy(orderOf(targetOf(coolify), v1))

    expect(coolify.running).toBe('v1.0.0')
  })

  test('bears answers that say nothing while it follows', async () => {
    await using coolify = await Coolify.start()
    coolify.mood.garble = [
      (response) => response.writeHead(502).end('<html>Bad Gateway</html>'),
      (response) => response.writeHead(200).end('<html>please wait</html>'),
      (response) => response.destroy(),
      (response) => response.writeHead(200).end('{"status":7}'),
    ]

    const lines = await deploy(orderOf(targetOf(coolify), v1))

    expect(coolify.running).toBe('v1.0.0')
    expect(lines.filter((line) => line.startsWith('no word on deployment1'))).toHaveLength(4)
  })

  test('does not bear them for ever, and cancels what nobody follows any more', async () => {
    await using coolify = await Coolify.start()
    coolify.mood.garble = Array.from({ length: 20 }, () => (response) => response.writeHead(200).end('oops'))

    await expect(deploy(orderOf(targetOf(coolify), v1))).rejects.toMatchObject({ code: 'WEBHOOK_ANSWER_INVALID' })

    expect(coolify.calls.at(-1)).toBe('POST /deployments/deployment1/cancel')
  })

  test('says what the platform says of a failure, without the secret; the old one still runs', async () => {
    await using coolify = await Coolify.start()
    await deploy(orderOf(targetOf(coolify), v1))
    coolify.mood.broken = 'v2.0.0'

    const failure = await deploy(orderOf(targetOf(coolify), v2, v1)).catch((error: unknown) => error)

    expect(failure).toMatchObject({
      code: 'WEBHOOK_DEPLOYMENT_FAILED',
      message: 'The deployment deployment2 of coolify ended as "failed".',
      details: ['pulling v2.0.0', 'manifest unknown, asked with ***'],
    })
    expect(coolify.running).toBe('v1.0.0')
  })

  test('gives up after its time, and cancels', async () => {
    await using coolify = await Coolify.start()
    coolify.mood.slow = true

    const slow = deploy(orderOf(targetOf(coolify, { withinMs: 60 }), v1))

    await expect(slow).rejects.toMatchObject({
      code: 'WEBHOOK_DEPLOYMENT_SLOW',
      message: expect.stringContaining('in_progress'),
    })
    expect(coolify.calls.at(-1)).toBe('POST /deployments/deployment1/cancel')
  })

  test('leaves off when it is stopped, and cancels', async () => {
    await using coolify = await Coolify.start()
    coolify.mood.slow = true
    const order = orderOf(targetOf(coolify, { withinMs: 3_600_000, everyMs: 1_000_000 }), v1)
    const stop = new AbortController()
    const told = (line: string): void => {
      if (line.startsWith('the platform says')) stop.abort()
    }

    await expect(driver.switch(order, told, signal, stop.signal)).rejects.toMatchObject({ code: 'SWITCH_STOPPED' })
    expect(coolify.calls.at(-1)).toBe('POST /deployments/deployment1/cancel')
  })

  test('goes back by deploying what ran before, and says so where nothing did', async () => {
    await using coolify = await Coolify.start()
    await deploy(orderOf(targetOf(coolify), v1))
    const second = orderOf(targetOf(coolify), v2, v1)
    await deploy(second)

    await driver.revert(second, 'not healthy', () => undefined, signal)
    expect(coolify.running).toBe('v1.0.0')

    await expect(
      driver.revert(orderOf(targetOf(coolify), v2), 'not healthy', () => undefined, signal),
    ).rejects.toMatchObject({ code: 'WEBHOOK_NOTHING_BEFORE' })
  })

  test('a wrong token is an error of its own, before anything is changed, and is not repeated', async () => {
    await using coolify = await Coolify.start()
    const order = { ...orderOf(targetOf(coolify), v1), secrets: { TOKEN: 'wrong-and-long' } }

    const failure = await deploy(order).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'WEBHOOK_AUTH_REFUSED', kind: 'auth' })
    expect((failure as Error).message).not.toContain('wrong-and-long')
    expect(coolify.calls).toEqual(['GET /applications/app1'])
    await expect(deploy({ ...order, secrets: {} })).rejects.toMatchObject({ code: 'WEBHOOK_TOKEN_MISSING' })
  })

  test('believes the record as long as the platform is set to it', async () => {
    await using coolify = await Coolify.start()
    const look = (more: object) =>
      driver.inspect({ ...orderOf(targetOf(coolify), v1), target: targetOf(coolify), ...more }, signal)
    await deploy(orderOf(targetOf(coolify), v1))

    expect(await look({ believed: v1 })).toMatchObject({ kind: 'known', current: v1.id, says: { isIll: false } })
    coolify.application['docker_registry_image_tag'] = 'v2.0.0'
    expect(await look({ believed: v1 })).toMatchObject({ current: 'tag v2.0.0' })
    expect(await look({ believed: v1, underWay: v2 })).toMatchObject({ current: v1.id })
    coolify.application['status'] = 'exited:unhealthy'
    expect(await look({ believed: v2 })).toMatchObject({ says: { text: 'exited:unhealthy', isIll: true } })
    expect(await look({ believed: v1, secrets: {} })).toMatchObject({ kind: 'unknown', code: 'WEBHOOK_TOKEN_MISSING' })
  })

  test('a platform that was set to something else is not overwritten', async () => {
    await using coolify = await Coolify.start()
    await deploy(orderOf(targetOf(coolify), v1))
    coolify.application['docker_registry_image_tag'] = 'by-hand'

    await expect(deploy(orderOf(targetOf(coolify), v2, v1))).rejects.toMatchObject({
      code: 'DEPLOYMENT_DRIFTED',
      message: expect.stringContaining('tag by-hand'),
    })
    expect(coolify.begun).toBe(1)
  })

  test.for([
    ['a redirect', (url: string) => [307, { location: `${url}/elsewhere` }, ''] as const, 'WEBHOOK_REDIRECTED'],
    ['a page', () => [200, {}, '<html>'] as const, 'WEBHOOK_ANSWER_INVALID'],
    ['an error of the 500s', () => [500, {}, 'broken'] as const, 'WEBHOOK_REFUSED'],
    ['an answer without end', () => [200, {}, 'x'.repeat(answerBytesMax + 1)] as const, 'WEBHOOK_ANSWER_TOO_LARGE'],
  ] as const)('%s is told and not followed', async ([, answer, code]) => {
    await using coolify = await Coolify.start()
    const [status, headers, body] = answer(coolify.url)
    const target = targetOf(coolify)
    await using broken = await Coolify.answering(status, headers, body)

    const failure = driver.prepare(orderOf({ ...target, url: `${broken.url}/api/v1` }, v1), () => undefined, signal)

    await expect(failure).rejects.toMatchObject({ code })
    expect(coolify.calls).toEqual([])
  })

  test('nobody there is unreachable, and unknown when it is asked what it runs', async () => {
    const coolify = await Coolify.start()
    const order = orderOf(targetOf(coolify), v1)
    await coolify[Symbol.asyncDispose]()

    await expect(driver.prepare(order, () => undefined, signal)).rejects.toMatchObject({ kind: 'unreachable' })
    expect(await driver.inspect(order, signal)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

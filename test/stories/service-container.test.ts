import { createConnection } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { homeName } from '#runner/container/labels.ts'
import { baseImage, besideEachOther, sharedDocker } from '../rig/docker.ts'
import { RunnerRig, expr, messagesOf, printed } from '../rig/runner.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : undefined

const redis = {
  image: 'shipway-test/redis:1',
  options: '--health-cmd "redis-cli ping" --health-interval 1s --health-retries 20',
}
const postgres = {
  image: 'shipway-test/postgres:1',
  env: { POSTGRES_DB: 'shop' },
  options: '--health-cmd "pg_isready -U postgres -d $POSTGRES_DB" --health-interval 1s --health-retries 30',
}
/** Asks Redis with bash alone. */
const ping = (place: string) =>
  `exec 3<>/dev/tcp/${place}; printf 'PING\\r\\n' >&3; read -r answer <&3; echo "\${answer%?}"`

describe.skipIf(missing !== undefined)(`services of a job ${missing ?? ''}`, besideEachOther, () => {
  if ('missing' in daemon) return
  const start = () => RunnerRig.start({ pullRetryMs: 10 }, { PATH: process.env['PATH'] ?? '', ...daemon.env })

  beforeAll(async () => {
    await daemon.build(redis.image, [
      `FROM ${baseImage}`,
      'CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"]',
    ])
    await daemon.build(postgres.image, [
      `FROM ${baseImage}`,
      'USER postgres',
      String.raw`CMD set -e; bin=$(ls -d /usr/lib/postgresql/*/bin); $bin/initdb --no-sync -D /tmp/data -A trust >/dev/null; \
        printf "host all all all trust\n" >> /tmp/data/pg_hba.conf; \
        $bin/pg_ctl -D /tmp/data -o "-k /tmp -c listen_addresses= -c fsync=off" -w start >/dev/null; \
        $bin/createdb -h /tmp $POSTGRES_DB; $bin/pg_ctl -D /tmp/data -m fast -w stop >/dev/null; \
        exec $bin/postgres -D /tmp/data -k /var/run/postgresql -c listen_addresses="*"`,
    ])
  })

  async function leftBy(rig: RunnerRig): Promise<string> {
    if ('missing' in daemon) return ''
    const filter = ['--quiet', '--filter', `label=shipway.home=${homeName(rig.root)}`]
    return (await daemon.docker('ps', '--all', ...filter)) + (await daemon.docker('network', 'ls', ...filter))
  }

  test('are healthy before the first step, and a job in a container reaches them by name', async () => {
    await using rig = start()

    const job = await rig.run({
      container: baseImage,
      services: { cache: redis, db: postgres },
      steps: [
        { run: ping('cache/6379'), shell: 'bash' },
        { run: 'psql -h db -U postgres -d shop -Atc "select 6 * 7"' },
        {
          run: expr(
            "format('echo {0} {1}', job.container.network == job.services.db.network, job.services.cache.id != '')",
          ),
        },
      ],
    })

    expect(messagesOf(job.result.annotations, 'error')).toEqual([])
    expect(printed(job)).toEqual(['+PONG', '42', 'true true'])
    expect(await leftBy(rig)).toBe('')
  })

  test('are reached by a job of the machine at a free port of loopback', async () => {
    await using rig = start()

    const job = await rig.run({
      services: { cache: { ...redis, ports: ['6379/tcp'] }, quiet: { image: '' } },
      steps: [
        { run: ping('127.0.0.1/$PORT'), shell: 'bash', env: { PORT: expr("job.services.cache.ports['6379']") } },
        { id: 'port', run: expr("format('echo port={0} >> $GITHUB_OUTPUT', job.services.cache.ports[6379])") },
      ],
      outputs: { port: expr('steps.port.outputs.port') },
    })

    expect(printed(job)).toEqual(['+PONG'])
    expect(job.log).toContain('The service "quiet" has no image: it is left out.')
    expect(job.log).toContain('Ready to accept connections')
    expect(await answers(Number(job.result.outputs['port']))).toBe(false)
    expect(await leftBy(rig)).toBe('')
  })

  test('that are not healthy end the job before its first step, with what they printed', async () => {
    await using rig = start()
    const image = baseImage
    const sick = '--health-cmd "echo no heartbeat; exit 1" --health-interval 200ms --health-retries 2'

    const unhealthy = await rig.run({
      services: { heart: { image, options: sick, command: 'sh -c "echo I am here; sleep 100"' } },
      steps: [{ run: 'echo never' }],
    })
    const ended = await rig.run({
      services: { heart: { image, options: sick, command: 'sh -c "echo goodbye; exit 5"' } },
      steps: [{ run: 'echo never' }],
    })

    expect(unhealthy.result.reason).toBe(
      `The service "heart" (${image}) did not become healthy: its health check says "no heartbeat".`,
    )
    expect(unhealthy.log).toContain('I am here')
    expect(ended.result.reason).toContain('it ended with exit code 5')
    expect(ended.log).toContain('goodbye')
    for (const job of [unhealthy, ended]) expect(printed(job)).not.toContain('never')
    expect(await leftBy(rig)).toBe('')
  })

  test('are gone after a cancel while they are waited for', async () => {
    await using rig = start()
    const options = '--health-cmd "exit 1" --health-interval 300s --health-retries 50'
    const order = rig.begin({
      services: { slow: { image: baseImage, options, command: 'sleep 100' } },
      steps: [{ run: 'echo never' }],
    })
    await rig.message((message) => message.type === 'log' && message.bytes > 0)
    for (let tries = 0; tries < 200 && (await leftBy(rig)).length < 20; tries += 1) await new Promise(setImmediate)

    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'enough' })
    const job = await rig.ended(order)

    expect(job.result.conclusion).toBe('cancelled')
    expect(await leftBy(rig)).toBe('')
  })
})

/** Whether somebody listens on a port of loopback. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}

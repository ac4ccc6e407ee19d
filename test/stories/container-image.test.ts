/** Where images of jobs come from, what does not run in them, and what is left of them when the power fails: a real engine and a real registry on loopback. */
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { homeName } from '#runner/container/labels.ts'
import { baseImage, besideEachOther, sharedDocker } from '../rig/docker.ts'
import { startRegistry } from '../rig/registry.ts'
import { Repository } from '../rig/repository.ts'
import { RunnerRig, messagesOf, printed } from '../rig/runner.ts'
import type { EndedJob } from '../rig/runner.ts'
import { Shipway } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'
import { until } from '../rig/web-fleet.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : await requireSystem(['docker-registry'])
const env = 'missing' in daemon ? {} : daemon.env
const docker = async (...args: readonly string[]): Promise<string> =>
  'missing' in daemon ? '' : daemon.docker(...args)
const start = () => RunnerRig.start({ pullRetryMs: 10 }, { PATH: process.env['PATH'] ?? '', ...env })
const errorsOf = (job: EndedJob) => messagesOf(job.result.annotations, 'error')

describe.skipIf(missing !== undefined)(`an image of a job ${missing ?? ''}`, besideEachOther, () => {
  test('comes from a registry with the credentials of the job, which are left nowhere', async () => {
    if ('missing' in daemon) return
    await using registry = await startRegistry()
    await using rig = start()
    const { username, password } = registry
    const image = `${registry.server}/acme/small:1`
    const small = `tiny-credentials-${randomUUID()}:1`
    await tinyImage(daemon, small, 'small')
    await registry.push(daemon, small, 'acme/small:1')
    await docker('rmi', small)
    const secrets = { PASSWORD: password }
    const container = (word: string) => ({ image, credentials: { username, password: word } })

    const wrong = await rig.run({ container: container('guessed'), steps: [{ run: 'echo never' }] })
    const none = await rig.run({ container: image, steps: [{ run: 'echo never' }] })
    const right = await rig.run({ secrets, container: container(password), steps: [{ run: 'echo inside' }] })

    expect(errorsOf(wrong)).toEqual([
      expect.stringMatching(/^The registry 127\.0\.0\.1:\d+ does not accept the credentials: /),
    ])
    expect(errorsOf(none)).toEqual([
      expect.stringMatching(/could not be pulled in 3 tries: .*no basic auth credentials/),
    ])
    expect(errorsOf(right)).toEqual([])
    expect(printed(right)).toContain('inside')
    expect(right.log).not.toContain(password)
    expect(right.steps.map(({ name }) => name)).toEqual([
      'Set up job',
      'Initialize containers',
      'Run echo inside',
      'Stop containers',
    ])
    const temp = right.order.paths.temp
    expect(existsSync(temp) ? readdirSync(temp).filter((name) => name.startsWith('_docker_config')) : []).toEqual([])
    await docker('rmi', image)
  })

  test('that is on the machine is taken as it is, or pulled for every job when shipway.yml says so', async () => {
    await using shipway = new Shipway()
    Object.assign(shipway.env, env)
    const image = `127.0.0.1:9/acme/local-${randomUUID()}:1`
    await docker('tag', baseImage, image)
    const ci = `on: push\njobs: { a: { runs-on: ubuntu-latest, container: '${image}', steps: [{ run: echo inside }] } }\n`
    using missing = new Repository({ '.github/workflows/ci.yml': ci })
    using always = new Repository({
      '.github/workflows/ci.yml': ci,
      'shipway.yml': 'name: b\ncontainers: { pull: always }\n',
    })

    const local = await shipway.call(missing.root, 'run', '--repository', 'acme/a')
    const pulled = await shipway.call(always.root, 'run', '--repository', 'acme/b')

    expect([local.status, pulled.status]).toEqual([0, 1])
    expect(pulled.stdout + pulled.stderr).toContain('could not be pulled in 3 tries')
    await docker('rmi', image)
  })

  test.skipIf(process.arch !== 'x64')(
    'without glibc runs scripts, and says why a JavaScript action cannot run in it',
    async () => {
      if ('missing' in daemon) return
      // As in an image of Alpine, the loader that Node asks for is not there: here it has another name, of the same length.
      const programs = '/bin/dash /usr/bin/tail /usr/bin/id /usr/bin/cat'
      await daemon.build('shipway-test/other-libc:1', [
        `FROM ${baseImage}`,
        `RUN cp /lib64/ld-linux-x86-64.so.2 /lib64/ld-other-x86-64.so.2 && sed -i s,/lib64/ld-linux-x86-64,/lib64/ld-other-x86-64, ${programs} && rm /lib64/ld-linux-x86-64.so.2`,
      ])
      await using rig = start()
      using repository = new Repository({
        'js/action.yml': 'name: J\nruns: { using: node20, main: main.js }\n',
        'js/main.js': 'console.log(1)',
      })
      const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD'), ref: 'refs/heads/main' }

      const job = await rig.run({
        container: 'shipway-test/other-libc:1',
        source,
        steps: [{ uses: 'actions/checkout@v4' }, { run: 'echo a script' }, { uses: './js' }],
      })

      expect(printed(job)).toContain('a script')
      expect(errorsOf(job)).toEqual([
        'JavaScript actions cannot run in a container of "shipway-test/other-libc:1": the Node that Shipway brings does not start there.',
      ])
      expect(job.log).toContain('It needs glibc, which Alpine')
    },
  )
})

test.skipIf(missing !== undefined)(
  `an agent that starts removes what a machine without power has left ${missing ?? ''}`,
  async () => {
    await using shipway = new Shipway()
    Object.assign(shipway.env, env)
    using repository = new Repository({})
    const labels = ['--label', `shipway.home=${homeName(shipway.home)}`, '--label', 'shipway.runner=1.0']
    const id = await docker('run', '--detach', '--network', 'none', ...labels, baseImage, 'sleep', '100')
    const isThere = async () => (await docker('ps', '--all', '--quiet', '--no-trunc')).includes(id)

    // Nobody of this home has used Docker: the engine is not asked.
    await shipway.call(repository.root, 'agent', '--until-quiet')
    expect(await isThere()).toBe(true)
    writeFileSync(join(shipway.home, 'containers'), '')
    await shipway.call(repository.root, 'agent', '--until-quiet')

    await until('the container is gone', async () => !(await isThere()))
  },
)

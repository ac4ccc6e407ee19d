import { randomUUID } from 'node:crypto'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { homeName, runnerName } from '#runner/container/labels.ts'
import { baseImage, besideEachOther, sharedDocker } from '../rig/docker.ts'
import { Repository } from '../rig/repository.ts'
import { RunnerRig, expr, isRunning, messagesOf, printed, textIn, until } from '../rig/runner.ts'
import type { EndedJob } from '../rig/runner.ts'
import { findProgram } from '../rig/system.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : undefined
const env = 'missing' in daemon ? {} : daemon.env
const docker = async (...args: readonly string[]): Promise<string> =>
  'missing' in daemon ? '' : daemon.docker(...args)

const start = (timings = {}) =>
  RunnerRig.start({ pullRetryMs: 10, ...timings }, { PATH: process.env['PATH'] ?? '', ...env })

/** Everything that jobs of a rig have left in the engine. */
async function leftBy(rig: RunnerRig): Promise<string> {
  const filter = ['--quiet', '--filter', `label=shipway.home=${homeName(rig.root)}`]
  return (await docker('ps', '--all', ...filter)) + (await docker('network', 'ls', ...filter))
}

const errorsOf = (job: EndedJob) => messagesOf(job.result.annotations, 'error')

describe.skipIf(missing !== undefined)(`a job with a container ${missing ?? ''}`, besideEachOther, () => {
  test('runs steps beside others in there, and stops the process inside when one is cancelled', async () => {
    await using rig = start({ interruptMs: 20_000, terminateMs: 20_000 })

    const job = await rig.run({
      container: { image: baseImage },
      steps: [
        {
          id: 'server',
          background: true,
          run: 'trap "echo stopped inside >&2; exit 0" INT TERM; touch /tmp/up; while :; do sleep 0.05; done',
        },
        { run: 'until [ -e /tmp/up ]; do sleep 0.05; done; echo client' },
        { if: 'always()', name: 'Cancel', control: { kind: 'cancel', steps: ['server'] } },
      ],
    })

    expect(printed(job)).toEqual(['client', 'stopped inside'])
    expect(job.steps.find(({ id }) => id === 'server')?.conclusion).toBe('cancelled')
    expect(job.result.conclusion).toBe('success')
  })

  test('runs its steps in there, on the files of its workspace and by the paths of the container', async () => {
    await using rig = start()

    const job = await rig.run({
      container: { image: baseImage, env: { GREETING: 'hello' } },
      steps: [
        {
          run: 'echo "$GREETING in $PWD as $HOME"; echo data > file.txt; mkdir sub; echo "::error file=$PWD/file.txt,line=3::here"',
        },
        { run: 'pwd', workingDirectory: expr("format('{0}/sub', github.workspace)") },
        { run: 'cat ../file.txt', workingDirectory: 'sub' },
        { run: 'echo "$GITHUB_WORKSPACE $RUNNER_TEMP $GITHUB_EVENT_PATH"; grep -c after "$GITHUB_EVENT_PATH"' },
        {
          run: expr("format('echo {0} {1}', hashFiles(format('{0}/*.txt', github.workspace)), hashFiles('file.txt'))"),
        },
      ],
    })

    const lines = printed(job)
    expect(lines.slice(0, -1)).toEqual([
      'hello in /__w/app/app as /github/home',
      '##[error]here',
      '/__w/app/app/sub',
      'data',
      '/__w/app/app /__w/_temp /github/workflow/event.json',
      '1',
    ])
    expect(new Set(lines.at(-1)?.split(' ')).size).toBe(1)
    expect(lines.at(-1)).toMatch(/^[0-9a-f]{64} /)
    expect(job.result.annotations).toMatchObject([{ file: 'file.txt', line: 3 }])
    expect(job.result.conclusion).toBe('success')
    expect(await leftBy(rig)).toBe('')
  })

  test('speaks through the same files and commands as a job on the machine', async () => {
    await using rig = start()

    const job = await rig.run({
      container: baseImage,
      outputs: { answer: expr('steps.ask.outputs.answer') },
      secrets: { TOKEN: 's3cret-value' },
      steps: [
        {
          run: 'echo "NAME=from file" >> "$GITHUB_ENV"; mkdir -p /opt/tool; printf "#!/bin/sh\\necho tool runs\\n" > /opt/tool/my-tool; chmod +x /opt/tool/my-tool; echo /opt/tool >> "$GITHUB_PATH"',
        },
        {
          id: 'ask',
          run: 'my-tool; echo "$NAME"; echo "answer=42" >> "$GITHUB_OUTPUT"; echo "token $TOKEN"',
          env: { TOKEN: expr('secrets.TOKEN') },
        },
        {
          run: 'echo "## done" >> "$GITHUB_STEP_SUMMARY"; printf "%s\\n" "$LINES_OF"; echo "$DOCKER_HOST"',
          env: { LINES_OF: 'one\ntwo', DOCKER_HOST: 'tcp://nobody:1' },
        },
        { run: 'exit 3' },
      ],
    })

    expect(printed(job)).toEqual(['tool runs', 'from file', 'token ***', 'one', 'two', 'tcp://nobody:1'])
    expect(job.result).toMatchObject({ conclusion: 'failure', outputs: { answer: '42' } })
    expect(errorsOf(job)).toEqual(['Process completed with exit code 3.'])
    expect(existsSync(job.order.paths.summary)).toBe(true)
  })

  test('uses sh, and bash where it is asked for; the image of a platform stands for a machine and gets bash', async () => {
    await using rig = start()
    const which = 'readlink /proc/$$/exe'

    const container = await rig.run({ container: baseImage, steps: [{ run: which }, { run: which, shell: 'bash' }] })
    const platform = await rig.run({ leg: { image: baseImage }, steps: [{ run: which }] })

    expect(printed(container)).toEqual(['/usr/bin/dash', '/usr/bin/bash'])
    expect(printed(platform)).toEqual(['/usr/bin/bash'])
  })

  test('checks the commit out, and git works on it inside', async () => {
    await using rig = start()
    using repository = new Repository({ 'README.md': 'hello\n' })
    const sha = repository.git('rev-parse', 'HEAD')

    const job = await rig.run({
      container: baseImage,
      source: { repository: repository.root, sha, ref: 'refs/heads/main' },
      steps: [{ uses: 'actions/checkout@v4' }, { run: 'cat README.md; git log --format=%s; git status --short' }],
    })

    expect(errorsOf(job)).toEqual([])
    expect(printed(job).slice(-2)).toEqual(['hello', 'Change something'])
  })

  test('is cancelled like any other: the process inside is interrupted and may clean up', async () => {
    await using rig = start({ interruptMs: 10_000 })
    const order = rig.begin({
      container: baseImage,
      steps: [
        {
          run: 'trap \'echo interrupted; exit 1\' INT; echo ready > "$RUNNER_TEMP/ready"; while :; do sleep 0.1; done',
        },
        { run: 'echo cleaned', if: 'always()' },
      ],
    })
    await textIn(join(order.paths.temp, 'ready'))

    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'enough' })
    const job = await rig.ended(order)

    expect(printed(job)).toEqual(['interrupted', 'cleaned'])
    expect(job.result.conclusion).toBe('cancelled')
  })

  test('a process inside that ignores every signal but the last does not outlive its time', async () => {
    await using rig = start({ interruptMs: 200, terminateMs: 200 })

    const job = await rig.run({
      container: baseImage,
      steps: [
        { run: "trap '' INT TERM; echo $$ > pid; while :; do sleep 0.1; done", timeoutMinutes: 0.03 },
        { run: 'readlink "/proc/$(cat pid)/exe" || echo gone', if: 'always()' },
      ],
    })

    expect(job.steps[2]).toMatchObject({
      outcome: 'failure',
      reason: expect.stringContaining('timed out after 0.03 minutes'),
    })
    expect(printed(job)).toEqual(['gone'])
  })

  test('leaves no container behind when its runner is killed with -9', async () => {
    const rig = start()
    try {
      const order = rig.begin({ container: baseImage, steps: [{ run: 'echo $$ > "$RUNNER_TEMP/ready"; sleep 100' }] })
      await textIn(join(order.paths.temp, 'ready'))
      expect(await leftBy(rig)).not.toBe('')

      rig.kill()
      await rig.exited()
      for (let tries = 0; tries < 200 && (await leftBy(rig)) !== ''; tries += 1)
        await until(() => !isRunning(rig.pid), 'the runner is gone')

      expect(await leftBy(rig)).toBe('')
    } finally {
      await rig[Symbol.asyncDispose]()
    }
  })
})

describe.skipIf(missing !== undefined)(`what an earlier runner has left in the engine ${missing ?? ''}`, () => {
  test('is removed by the next job with a container, and nothing of a runner that lives', async () => {
    await using rig = start()
    const make = async (runner: string, home: string) => {
      const labels = ['--label', `shipway.home=${homeName(home)}`, '--label', `shipway.runner=${runner}`]
      const network = await docker('network', 'create', ...labels, `shipway_test_${randomUUID()}`)
      return {
        network,
        id: await docker('run', '--detach', '--network', network, ...labels, baseImage, 'sleep', '100'),
      }
    }
    const dead = await make('1.0', rig.root)
    const alive = await make(runnerName(process.pid), rig.root)
    const foreign = await make('1.0', '/another/home')

    await rig.run({ container: baseImage, steps: [{ run: 'true' }] })

    const there = await docker('ps', '--all', '--quiet', '--no-trunc')
    const networks = await docker('network', 'ls', '--quiet', '--no-trunc')
    expect([dead, alive, foreign].map(({ id, network }) => [there.includes(id), networks.includes(network)])).toEqual([
      [false, false],
      [true, true],
      [true, true],
    ])
    await docker('rm', '--force', alive.id, foreign.id)
    await docker('network', 'rm', alive.network, foreign.network)
  })
})

describe.skipIf(missing !== undefined)(`a container that cannot be had ${missing ?? ''}`, besideEachOther, () => {
  test('an image that is nowhere is tried three times and named', async () => {
    await using rig = start()

    const job = await rig.run({ container: '127.0.0.1:9/acme/none:1', steps: [{ run: 'echo never' }] })

    expect(job.result.conclusion).toBe('failure')
    expect(errorsOf(job)).toEqual([
      expect.stringMatching(
        /^The image "127.0.0.1:9\/acme\/none:1" is not on this machine and could not be pulled in 3 tries: .*connection refused/,
      ),
    ])
    expect(job.log.match(/##\[command\]docker pull/g)).toHaveLength(3)
    expect(printed(job)).not.toContain('never')
  })

  test.each([
    [{ image: baseImage, options: '--network host' }, /^"container.options" cannot have --network/],
    [{ image: baseImage, credentials: { username: 'ann', password: '' } }, /^"container.credentials" needs both/],
    [{ image: baseImage, volume: ['/a:/b'] }, /^"container" has an unknown key "volume"/],
    [{ image: baseImage, options: '--no-such-option' }, /^The container of .* did not start: (?!Run 'docker)/],
    [{ image: baseImage, options: '--user 4711:4711 --memory 1' }, /^The container of .* did not start: /],
  ] as const)('%j fails the job before its first step', async (container, message) => {
    await using rig = start()

    const job = await rig.run({ container, steps: [{ run: 'echo never' }] })

    expect(errorsOf(job)).toEqual([expect.stringMatching(message)])
    expect(job.result.conclusion).toBe('failure')
    expect(printed(job)).not.toContain('never')
    expect(await leftBy(rig)).toBe('')
  })

  test('no docker program, and an engine that does not answer', async () => {
    using tools = new Repository()
    for (const name of ['mkdir', 'mkfifo', 'rm', 'rmdir', 'grep', 'sh'])
      symlinkSync(findProgram(name) ?? '', join(tools.root, name))
    await using without = RunnerRig.start({}, { PATH: tools.root })
    await using deaf = RunnerRig.start(
      {},
      { PATH: process.env['PATH'] ?? '', DOCKER_HOST: 'unix:///nonexistent/docker.sock' },
    )
    const job = { container: baseImage, steps: [{ run: 'echo never' }] }

    expect(errorsOf(await deaf.run(job))).toEqual([expect.stringMatching(/^The Docker engine does not answer: /)])
    expect(errorsOf(await without.run(job))).toEqual([expect.stringMatching(/there is no program "docker" on PATH/)])
  })

  test('an image that an expression leaves empty is no container: the job runs on the machine', async () => {
    await using rig = start()

    const job = await rig.run({ container: { image: expr("''") }, steps: [{ run: 'echo "$GITHUB_WORKSPACE"' }] })

    expect(printed(job)).toEqual([job.order.paths.workspace])
  })
})

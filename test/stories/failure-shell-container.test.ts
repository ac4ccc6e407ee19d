import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { homeName } from '#runner/container/labels.ts'
import { baseImage, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'
import { onTerminal } from '../rig/terminal.ts'
import type { Answer } from '../rig/terminal.ts'
import { until } from '../rig/web-fleet.ts'

const terminal = await requireSystem(['bsdutils'])
const daemon = terminal === undefined ? await sharedDocker() : { missing: terminal }
const missing = 'missing' in daemon ? daemon.missing : undefined
const prompt = /\([\w.-]+\) [^\n]*[#$] /

const workflow = (job: string, steps: string): Readonly<Record<string, string>> => ({
  '.github/workflows/ci.yml': `name: CI
on: push
env: { WHO: world }
jobs:
  a:
    runs-on: ubuntu-latest
    ${job}
    steps:
${steps.replaceAll(/^/gm, '      ')}
`,
})

/** One run with a terminal, and what it has left in the engine. */
async function run(
  docker: DockerDaemon,
  files: Readonly<Record<string, string>>,
  call: { readonly args?: readonly string[]; readonly answers: readonly Answer[]; readonly after?: string },
) {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  const env = { ...shipway.env, ...docker.env, KEY: 'opensesame', TERM: 'xterm' }
  const { args = [], ...rest } = call
  const all = ['run', 'push', '--shell-on-failure', '--secret', 'KEY', ...args, '--home', shipway.home]
  const { status, output } = await onTerminal(repository.root, env, { ...rest, args: all })
  const log = await shipway.call(repository.root, 'logs', 'latest')
  await until('nothing of the home is in the engine', async () => (await leftBy(docker, shipway.home)) === '')
  return { status, output, log: log.stdout }
}

async function leftBy(engine: DockerDaemon, home: string): Promise<string> {
  const filter = ['--quiet', '--filter', `label=shipway.home=${homeName(home)}`]
  return (await engine.docker('ps', '--all', ...filter)) + (await engine.docker('network', 'ls', ...filter))
}

describe.skipIf(missing !== undefined)(
  `shipway run --shell-on-failure with containers ${missing ?? ''}`,
  { tags: ['slow'] },
  () => {
    if ('missing' in daemon) return
    beforeAll(async () => {
      await imageOf(daemon, 'shipway-test/only-sh:1', ['tail', 'cat', 'sh'])
      await imageOf(daemon, 'shipway-test/shell-less:1', ['tail', 'cat'])
    })

    test('opens the shell in the container of the job, with the folder, variables, secrets and user of the step', async () => {
      const { status, output, log } = await run(
        daemon,
        workflow(
          `container: { image: '${baseImage}', options: '--user 1234', env: { BOX: blue } }`,
          `- { run: 'mkdir sub; echo kept > sub/file; echo gone > /tmp/only-here; echo /opt/tool >> "$GITHUB_PATH"' }
- { run: 'exit 3', working-directory: sub, env: { OWN: mine, KEY: '\${{ secrets.KEY }}', DOCKER_HOST: 'tcp://nobody:1' } }
- { if: always(), run: 'cat sub/made' }`,
        ),
        {
          answers: [
            [
              prompt,
              'echo "[$OWN-$WHO-$BOX-$(cat file)-$(cat /tmp/only-here)-$KEY-$(id -u)-$DOCKER_HOST-${PATH%%:*}]"; echo made > made\n',
            ],
            [/\[mine-world-blue-kept-gone-opensesame-1234-tcp:\/\/nobody:1-\/opt\/tool\]/, ''],
            [prompt, `sh -c 'echo run"ning"; exec sleep 600'\n`],
            [/[\r\n]running/, '\u0003'],
            [prompt, 'echo still-here\n'],
            [/[\r\n]still-here/, ''],
            [prompt, '\u0004'],
          ],
        },
      )

      expect(output).toContain(`a shell in its world, /__w/`)
      expect(output).toContain(`/sub in the container of ${baseImage}`)
      expect(output.indexOf('exit code 3')).toBeLessThan(output.indexOf('a shell in its world'))
      expect(status).toBe(1)
      expect(log).toMatch(/\bmade\b/)
      expect(log).not.toContain('opensesame')
    })

    test('does the same where the platform is an image, with sh where there is no bash', async () => {
      const { output, status } = await run(daemon, workflow('', `- { run: 'echo left > file; exit 3' }`), {
        args: ['--platform', 'ubuntu-latest=docker:shipway-test/only-sh:1'],
        answers: [
          [prompt, 'echo "[$(cat file)-$WHO-$0]"\n'],
          [/\[left-world-sh\]/, ''],
          [prompt, 'exit\n'],
        ],
      })

      expect(output).toContain('in the container of shipway-test/only-sh:1')
      expect(status).toBe(1)
    }, 60_000)

    test('opens a new container like that of a Docker action inside of a composite one, with its entry point replaced', async () => {
      const files = workflow(
        '',
        `- { uses: actions/checkout@v4 }\n- { uses: ./outer, with: { who: Ann }, env: { KEY: '\${{ secrets.KEY }}' } }`,
      )
      const { output, status, log } = await run(
        daemon,
        {
          ...files,
          'outer/action.yml': `name: Outer\ninputs: { who: {} }\nruns: { using: composite, steps: [{ uses: ./inner, with: { who: '\${{ inputs.who }}' } }] }\n`,
          'inner/action.yml': `name: Inner\ninputs: { who: {} }\nruns: { using: docker, image: Dockerfile, args: [x], env: { LOUD: '\${{ inputs.who }}!' } }\n`,
          'inner/Dockerfile': `FROM ${baseImage}\nENV BAKED=yes\nENTRYPOINT ["/bin/sh", "-c", "echo seen > seen; exit 5"]\n`,
        },
        {
          answers: [
            [
              prompt,
              'echo "[$LOUD-$INPUT_WHO-$BAKED-$KEY-$(cat seen)-$PWD]"; echo x >> "$GITHUB_OUTPUT" && echo writable\n',
            ],
            [/\[Ann!-Ann-yes-opensesame-seen-\/github\/workspace\]/, ''],
            [/writable/, ''],
            [prompt, '\u0004'],
          ],
        },
      )

      expect(output).toMatch(/a shell in its world, \/github\/workspace in a new container of sha256:/)
      expect(status).toBe(1)
      expect(log).toContain('exit code 5')
      expect(log).not.toContain('opensesame')
    })

    test.for([
      ['a docker:// step', '', `- { uses: 'docker://shipway-test/shell-less:1', with: { args: '/no/such/file' } }`],
      ['a job', `container: 'shipway-test/shell-less:1'`, `- { run: 'true' }`],
    ] as const)('says that the image of %s has no shell, and goes on', async ([, job, steps]) => {
      const { status, log } = await run(daemon, workflow(job, steps), { answers: [] })

      expect(log).toMatch(/No shell is opened: the .*shipway-test\/shell-less:1 has neither bash nor sh\./)
      expect(status).toBe(1)
    })

    test.for([
      ['is killed', 'KILL', `- { run: 'exit 3' }`, `container: '${baseImage}'`],
      ['is ended', 'TERM', `- { run: 'exit 3' }`, `container: '${baseImage}'`],
      ['is interrupted', 'INT', `- { uses: 'docker://${baseImage}', with: { entrypoint: 'false' } }`, ''],
      ['is killed', 'KILL', `- { uses: 'docker://${baseImage}', with: { entrypoint: 'false' } }`, ''],
    ] as const)(
      'leaves no container when the command %s while the shell is open (%s, %s)',
      async ([, signal, steps, job]) => {
        using repository = new Repository(workflow(job, steps))
        await using shipway = new Shipway()
        const env = { ...shipway.env, ...daemon.env, TERM: 'xterm' }
        const pid = path.join(shipway.home, 'pid')

        const { output } = await onTerminal(repository.root, env, {
          before: `echo $$ > '${pid}'; exec `,
          args: ['run', 'push', '--shell-on-failure', '--home', shipway.home],
          answers: [[prompt, () => void execFile('sh', ['-c', `kill -${signal} "$(cat '${pid}')"`])]],
        })

        expect(output).toContain('a shell in its world')
        await until('nothing of the home is in the engine', async () => (await leftBy(daemon, shipway.home)) === '')
      },
    )
  },
)

/** An image with some programs of this machine and nothing else. */
async function imageOf(docker: DockerDaemon, tag: string, programs: readonly string[]): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'shipway-image-'))
  const script = `mkdir -p root/bin root/tmp
for name; do program=$(command -v "$name"); cp -L "$program" root/bin/; ldd "$program"; done | grep -o '/[^ ]*' | sort -u |
while read -r file; do mkdir -p "root\${file%/*}"; cp -L "$file" "root$file"; done
tar -C root -cf image.tar .`
  try {
    await promisify(execFile)('sh', ['-ec', script, 'image', ...programs], { cwd: folder })
    const changes = ['--change', 'ENV PATH=/bin', '--change', 'ENTRYPOINT ["cat"]']
    await docker.docker('import', ...changes, path.join(folder, 'image.tar'), tag)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

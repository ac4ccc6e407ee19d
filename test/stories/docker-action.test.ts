import { beforeAll, describe, expect, test } from 'vitest'
import { homeName } from '#runner/container/labels.ts'
import { baseImage, besideEachOther, sharedDocker } from '../rig/docker.ts'
import { Repository } from '../rig/repository.ts'
import { RunnerRig, expr, messagesOf, printed, textIn } from '../rig/runner.ts'
import type { EndedJob, TestStep } from '../rig/runner.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : undefined
const checkout: TestStep = { uses: 'actions/checkout@v4' }
const errorsOf = (job: EndedJob) => messagesOf(job.result.annotations, 'error')

describe.skipIf(missing !== undefined)(`a step in a container of its own ${missing ?? ''}`, besideEachOther, () => {
  if ('missing' in daemon) return
  const start = (timings = {}) =>
    RunnerRig.start({ pullRetryMs: 10, ...timings }, { PATH: process.env['PATH'] ?? '', ...daemon.env })
  const leftBy = async (rig: RunnerRig) =>
    daemon.docker('ps', '--all', '--quiet', '--filter', `label=shipway.home=${homeName(rig.root)}`)

  beforeAll(async () => {
    await daemon.build('shipway-test/speaking:1', [
      `FROM ${baseImage}`,
      'ENTRYPOINT ["echo", "image says"]',
      'CMD ["nothing"]',
    ])
  })

  test('runs an image with arguments, an entry point, inputs and the files of the job', async () => {
    await using rig = start()
    const image = 'docker://shipway-test/speaking:1'

    const job = await rig.run({
      secrets: { KEY: 's3cret-key' },
      steps: [
        { run: 'echo "made here" > note.txt' },
        { uses: image },
        { uses: image, with: { args: `one "two words" $HOME` } },
        {
          uses: image,
          with: {
            entrypoint: '/bin/sh',
            args: `-c 'cat note.txt; echo "$PWD $HOME $INPUT_WHO $KEY"; echo "VALUE=kept" >> "$GITHUB_ENV"; echo from-inside > made.txt'`,
            who: 'Ann',
          },
          env: { KEY: expr('secrets.KEY') },
        },
        { run: 'echo "$VALUE"; cat made.txt' },
        { uses: image, with: { entrypoint: '/bin/sh -c', args: '"exit 7"' } },
      ],
    })

    expect(printed(job)).toEqual([
      'image says nothing',
      'image says one two words $HOME',
      'made here',
      '/github/workspace /github/home Ann ***',
      'kept',
      'from-inside',
    ])
    expect(errorsOf(job)).toEqual(['Process completed with exit code 7.'])
    expect(await leftBy(rig)).toBe('')
  })

  test('builds the Dockerfile of an action of the workspace, and runs its stages with their state', async () => {
    await using rig = start()
    using repository = new Repository({
      'greet/action.yml': `
name: Greet
inputs: { who: { default: World } }
outputs: { said: { description: x } }
runs:
  using: docker
  image: Dockerfile
  entrypoint: /main.sh
  post-entrypoint: /post.sh
  args: ['Hello', '\${{ inputs.who }}']
  env: { LOUD: '\${{ inputs.who }}!' }
`,
      'greet/Dockerfile': `FROM ${baseImage}\nCOPY *.sh /\n`,
      'greet/main.sh*':
        '#!/bin/sh\necho "$@ $LOUD $INPUT_WHO ${GITHUB_ACTION_PATH##*/}"\necho "said=$*" >> "$GITHUB_OUTPUT"\necho "box=full" >> "$GITHUB_STATE"\ncat README.md\n',
      'greet/post.sh*': '#!/bin/sh\necho "after: $STATE_box"\n',
      'plain/Dockerfile': `FROM ${baseImage}\nCMD ["echo", "only a Dockerfile"]\n`,
      'broken/Dockerfile': 'FROM scratch\nCOPY nothing /\n',
      'README.md': 'read me\n',
    })
    const sha = repository.git('rev-parse', 'HEAD')
    const source = { repository: repository.root, sha, ref: 'refs/heads/main' }

    const job = await rig.run({
      source,
      steps: [
        checkout,
        { uses: './greet', id: 'greet', with: { who: 'Ann' } },
        { uses: './greet', with: { args: "only 'this one'" } },
        { uses: './plain' },
        { run: expr("format('echo {0}', steps.greet.outputs.said)") },
      ],
    })
    const broken = await rig.run({ source, steps: [checkout, { uses: './broken' }] })

    expect(errorsOf(job)).toEqual([])
    expect(
      printed(job).filter((line) => /Hello|only|read me|after/.test(line) && !/^(Step|Successfully| --->)/.test(line)),
    ).toEqual([
      'Hello Ann Ann! Ann greet',
      'read me',
      'only this one World! World greet',
      'read me',
      'only a Dockerfile',
      'Hello Ann',
      'after: full',
      'after: full',
    ])
    expect(errorsOf(broken)).toEqual([expect.stringMatching(/^The image of the action .\/broken cannot be built: /)])
    expect(await leftBy(rig)).toBe('')
  })

  test('shares the network of a job container, and sees the same workspace', async () => {
    await using rig = start()

    const job = await rig.run({
      container: baseImage,
      services: {
        web: {
          image: baseImage,
          command: `nodejs -e "require('http').createServer((q, r) => r.end('served')).listen(80)"`,
        },
      },
      steps: [
        { run: 'echo shared > note.txt' },
        {
          uses: `docker://${baseImage}`,
          with: {
            entrypoint: 'bash',
            args: `-c 'cat note.txt; until exec 3<>/dev/tcp/web/80; do sleep 0.1; done 2>/dev/null; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; tail -1 <&3'`,
          },
        },
      ],
    })

    expect(errorsOf(job)).toEqual([])
    expect(printed(job)).toEqual(['shared', 'served'])
  })

  test.for([
    ['a job on the machine', {}],
    ['a job with a service', { services: { web: { image: baseImage, command: 'sleep 600' } } }],
    ['a job in a container', { container: baseImage }],
  ] as const)('reaches the artifact and cache services in %s, with the token of the job alone', async ([, more]) => {
    await using rig = start()
    const ask = `const url = process.env.ACTIONS_CACHE_URL + "_apis/artifactcache/cache?keys=k&version=v"
const status = async (token) => (await fetch(url, { headers: { authorization: "Bearer " + token } })).status
status(process.env.ACTIONS_RUNTIME_TOKEN).then(async (own) => console.log("services", own, await status("guess")))`

    const job = await rig.run({
      ...more,
      steps: [
        { run: `cat > ask.js <<'END'\n${ask}\nEND` },
        { uses: `docker://${baseImage}`, with: { args: 'nodejs ask.js' } },
        { uses: `docker://${baseImage}`, with: { args: 'nodejs ask.js' } },
      ],
    })

    expect(errorsOf(job)).toEqual([])
    expect(printed(job).filter((line) => line.startsWith('services'))).toEqual(['services 204 401', 'services 204 401'])
    expect(await leftBy(rig)).toBe('')
    const networks = ['network', 'ls', '--quiet', '--filter', `label=shipway.home=${homeName(rig.root)}`]
    expect(await daemon.docker(...networks)).toBe('')
  })

  test('is stopped with its container', async () => {
    await using rig = start({ interruptMs: 100, terminateMs: 100 })
    const order = rig.begin({
      steps: [
        {
          uses: `docker://${baseImage}`,
          with: { args: `sh -c "trap '' INT TERM; echo up > up.txt; while :; do sleep 0.1; done"` },
        },
      ],
    })
    await textIn(`${order.paths.workspace}/up.txt`)

    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'enough' })
    const job = await rig.ended(order)

    expect(job.result.conclusion).toBe('cancelled')
    expect(await leftBy(rig)).toBe('')
  })
})

describe.skipIf(missing !== undefined)(`a JavaScript action ${missing ?? ''}`, { tags: ['slow'] }, () => {
  if ('missing' in daemon) return

  test('runs in the container of its job, with the Node that runs Shipway', async () => {
    await using rig = RunnerRig.start({}, { PATH: process.env['PATH'] ?? '', ...daemon.env })
    using repository = new Repository({
      'js/action.yml': 'name: J\nruns: { using: node20, main: main.js, post: post.js }\n',
      'js/main.js': `
        const fs = require('fs')
        console.log(process.cwd(), __filename, process.version === '${process.version}')
        fs.appendFileSync(process.env.GITHUB_STATE, 'made=yes\\n')
        fetch(process.env.ACTIONS_RESULTS_URL).then((answer) => console.log('service', answer.status > 0))
      `,
      'js/post.js': "console.log('post', process.env.STATE_made)\n",
    })
    const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD'), ref: 'refs/heads/main' }

    const job = await rig.run({ container: baseImage, source, steps: [checkout, { uses: './js' }] })

    expect(errorsOf(job)).toEqual([])
    expect(printed(job).slice(-3)).toEqual(['/__w/app/app /__w/app/app/js/main.js true', 'service true', 'post yes'])
  })
})

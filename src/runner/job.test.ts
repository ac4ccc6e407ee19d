import { readFileSync, statSync, symlinkSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, messagesOf, printed } from '../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../test/rig/runner.ts'
import { lineBytesMax } from './step-output.ts'

/* Real runner, real pipes, real bash. One runner serves all jobs of this file, as it does for an agent. */
let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

describe('a job', () => {
  test('runs its steps in order, and what one writes into its files reaches the next', async () => {
    const job = await run({
      steps: [
        {
          id: 'first',
          run: 'echo "answer=42" >> "$GITHUB_OUTPUT"; echo "GREETING=hello" >> "$GITHUB_ENV"; echo "$PWD/bin" >> "$GITHUB_PATH"; mkdir bin; printf "#!/bin/sh\\necho tool\\n" > bin/tool; chmod +x bin/tool',
        },
        { run: expr("format('echo {0} $GREETING {1}; tool', steps.first.outputs.answer, env.GREETING)") },
      ],
      outputs: { answer: expr('steps.first.outputs.answer'), empty: expr('steps.first.outputs.none') },
    })
    expect(printed(job)).toEqual(['42 hello hello', 'tool'])
    expect(job.result).toEqual({ conclusion: 'success', outputs: { answer: '42' }, annotations: [] })
    expect(job.steps.map((step) => [step.number, step.name, step.conclusion])).toEqual([
      [0, 'Set up job', 'success'],
      [1, expect.stringMatching(/^Run echo "answer=42"/), 'success'],
      [2, 'Run echo 42 $GREETING hello; tool', 'success'],
    ])
  })

  test('shows for each step what runs, with which shell and variables, and tells where its lines are', async () => {
    const job = await run({
      workflowEnv: { A: '1' },
      steps: [{ name: 'Say', run: 'echo out\necho err > /dev/stderr\n', shell: 'bash', env: { B: '2' } }],
    })
    const [, step] = job.steps
    expect(job.log.slice(step?.logStart, step?.logEnd).split('\n').toSorted()).toEqual(
      [
        '##[group]Run echo out',
        'echo out',
        'echo err > /dev/stderr',
        'shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}',
        'env:',
        '  A: 1',
        '  B: 2',
        '##[endgroup]',
        'out',
        'err',
        '',
      ].toSorted(),
    )
    const streams = job.lines.filter((line) => line.step === 1 && line.stream !== 'system')
    expect(new Set(streams.map((line) => `${line.stream} ${line.text}`))).toEqual(new Set(['out out', 'err err']))
    expect(job.lines.every((line) => line.atMs > 1_700_000_000_000)).toBe(true)
  })

  test('tells its agent no text without a limit, whatever a step says: of a name, a reason, an address', async () => {
    const long = (variable: string): string => `printf '${variable}=%08000000d\\n' 0 >> "$GITHUB_OUTPUT"`
    const job = await run({
      leg: { environment: { name: 'staging', url: expr("format('http://{0}', steps.big.outputs.v)") } },
      steps: [
        { id: 'big', run: long('v') },
        { name: expr('steps.big.outputs.v'), run: 'true' },
        { run: `printf '%08000000d\\n' 0 >> "$GITHUB_OUTPUT"` },
      ],
    })

    expect(job.result.conclusion).toBe('failure')
    expect(job.steps.find((step) => step.conclusion === 'failure')?.reason).toMatch(/Invalid format '000.*…$/)
    expect(job.result.environmentUrl).toBeUndefined()
    expect(job.log.length).toBeLessThan(50_000)
    expect(Math.max(...[...job.steps, job.result].map((told) => JSON.stringify(told).length))).toBeLessThan(20_000)
  })

  test('stops at the first failure, runs what asks for it, and says which step it was', async () => {
    const job = await run({
      steps: [
        { run: 'exit 3', name: 'Break' },
        { run: 'echo never' },
        { run: 'echo cleaning', if: 'always()' },
        { run: 'echo rescue', if: 'failure()' },
        { run: 'echo no', if: "success() && github.event_name == 'push'" },
      ],
    })
    expect(printed(job)).toEqual(['cleaning', 'rescue'])
    expect(job.result.conclusion).toBe('failure')
    expect(job.result.reason).toBe('Step 1 "Break" failed: Process completed with exit code 3.')
    expect(messagesOf(job.result.annotations, 'error')).toEqual(['Process completed with exit code 3.'])
    expect(job.steps.map((step) => step.conclusion)).toEqual([
      'success',
      'failure',
      'skipped',
      'success',
      'success',
      'skipped',
    ])
    expect(job.steps[2]?.reason).toBe('A step before it failed.')
  })

  test('goes on after a step that may fail, and later steps see both results', async () => {
    const job = await run({
      steps: [
        { id: 'shaky', run: 'exit 1', continueOnError: expr("'true'") },
        { run: expr("format('echo {0} {1}', steps.shaky.outcome, steps.shaky.conclusion)") },
        { run: 'echo yes', if: "steps.shaky.outcome == 'failure' && success()" },
        { run: 'echo no', if: "success() && steps.shaky.outcome == 'success'" },
      ],
    })
    expect(printed(job)).toEqual(['failure success', 'yes'])
    expect(job.result.conclusion).toBe('success')
    expect(job.steps[4]?.reason).toContain("steps.shaky.outcome == 'success'")
  })

  test('takes variables from the nearest place, and gives promised ones to every process', async () => {
    const job = await run({
      extraEnv: { FROM: 'cli', CLI: 'cli' },
      workflowEnv: { FROM: 'workflow', WORKFLOW: 'workflow' },
      env: { FROM: 'job', JOB: expr('env.WORKFLOW') },
      github: { sha: 'abc', ref_name: 'main', token: 'not-exported' },
      steps: [
        { run: 'echo $FROM $CLI $WORKFLOW $JOB; echo "FROM=file" >> $GITHUB_ENV' },
        { run: 'echo $FROM', env: { FROM: 'step' } },
        { run: 'echo $FROM; echo $CI $GITHUB_ACTIONS $GITHUB_SHA $GITHUB_REF_NAME $RUNNER_OS ${GITHUB_TOKEN:-none}' },
        { run: 'cat "$GITHUB_EVENT_PATH"; test "$PWD" = "$GITHUB_WORKSPACE" && test -d "$RUNNER_TEMP" && echo there' },
        { run: 'echo $CI', env: { CI: 'no' } },
      ],
    })
    expect(printed(job)).toEqual([
      'job cli workflow workflow',
      'step',
      'file',
      'true true abc main Linux none',
      '{"after":"abc"}there',
      'no',
    ])
    expect(statSync(job.order.paths.workspace).mode & 0o777).toBe(0o700)
    expect(statSync(job.order.paths.log).mode & 0o777).toBe(0o600)
  })

  test.each<[string, TestJob['steps'][number], readonly string[]]>([
    ['bash -e by default', { run: 'false | true; echo $-' }, ['ehB']],
    ['bash with pipefail when asked for', { run: 'false | true; echo no', shell: 'bash' }, []],
    ['python', { run: 'import sys\nprint(sys.version_info[0])', shell: 'python3 {0}' }, ['3']],
    ['a command of its own', { run: 'print qq(perl\\n)', shell: 'perl {0}' }, ['perl']],
    ['sh', { run: 'echo ${BASH_VERSION:-sh}', shell: 'sh' }, ['sh']],
  ])('runs a script with %s', async (_name, step, lines) => {
    expect(printed(await run({ steps: [step] }))).toEqual(lines)
  })

  test('takes shell and folder from its defaults, and a step may choose others', async () => {
    const job = await run({
      defaults: { shell: 'sh', workingDirectory: 'sub' },
      steps: [
        { run: 'mkdir -p sub other', workingDirectory: '.' },
        { run: 'echo ${PWD##*/} ${BASH_VERSION:-sh}' },
        { run: 'echo ${PWD##*/}', workingDirectory: 'other', shell: 'bash' },
      ],
    })
    expect(printed(job)).toEqual(['sub sh', 'other'])
  })

  test.each<[string, TestJob['steps'][number], RegExp]>([
    [
      'a folder that is not there',
      { run: 'true', workingDirectory: 'none' },
      /working directory .*none does not exist/,
    ],
    ['a shell that nobody knows', { run: 'true', shell: 'fish' }, /shell "fish" is not known/],
    [
      'a shell that is not installed',
      { run: 'true', shell: 'no-such-shell {0}' },
      /"no-such-shell" was not found on PATH/,
    ],
    [
      'a variable that is too large for a process',
      { run: 'true', env: { BIG: 'x'.repeat(200_000) } },
      /did not start: .*E2BIG/,
    ],
    ['an expression that cannot be evaluated', { run: expr("fromJSON('{')") }, /could not be evaluated/],
    ['a condition that cannot be evaluated', { run: 'true', if: "fromJSON('{')" }, /could not be evaluated/],
    ['a file of variables that cannot be read', { run: 'echo nonsense >> $GITHUB_ENV' }, /Invalid format 'nonsense'/],
    ['a command that is switched off', { run: 'echo "::set-env name=A::b"' }, /`set-env` command is disabled/],
    ['a signal', { run: 'kill -9 $$' }, /exit code 137/],
    ['a time-out that is no number', { run: 'true', timeoutMinutes: expr("'soon'") }, /timeout-minutes must be/],
  ])('fails with a reason: %s', async (_name, step, reason) => {
    const job = await run({ steps: [step] })
    expect(job.result.conclusion).toBe('failure')
    expect(job.result.reason).toMatch(reason)
    expect(job.log).toMatch(reason)
  })

  test('says what to do about a value that is too large for a process', async () => {
    const job = await run({ steps: [{ run: 'true', env: { BIG: 'x'.repeat(200_000) } }] })
    expect(job.log).toContain('write the value into a file')
  })

  test('carries out the files of a step that failed', async () => {
    const job = await run({
      steps: [
        { id: 'a', run: 'echo "x=1" >> $GITHUB_OUTPUT; echo "::error file=a.ts,line=3::broken"; exit 1' },
        { run: expr("format('echo {0}', steps.a.outputs.x)"), if: 'always()' },
      ],
    })
    expect(printed(job)).toEqual(['##[error]broken', '1'])
    expect(job.result.annotations[0]).toEqual({
      level: 'error',
      message: 'broken',
      file: 'a.ts',
      line: 3,
      jobKey: 'build',
      step: 1,
    })
  })

  test('keeps ten annotations of a kind per step', async () => {
    const job = await run({
      steps: [{ run: 'for i in $(seq 15); do echo "::warning::w$i"; echo "::notice::n$i"; done' }],
    })
    expect(messagesOf(job.result.annotations, 'warning')).toHaveLength(10)
    expect(messagesOf(job.result.annotations, 'notice')).toHaveLength(10)
    expect(job.log).toContain('##[warning]w15')
  })

  test('joins the summaries of its steps', async () => {
    const job = await run({
      secrets: { KEY: 'summary-secret' },
      steps: [
        { run: 'printf "# One" >> $GITHUB_STEP_SUMMARY' },
        { run: 'echo "a summary-secret" >> $GITHUB_STEP_SUMMARY' },
      ],
    })
    expect(readFileSync(job.order.paths.summary, 'utf8')).toBe('# One\na ***\n')
  })

  test('refuses a summary that is too long', async () => {
    const job = await run({ steps: [{ run: 'head -c 1100000 /dev/zero | tr "\\0" x >> $GITHUB_STEP_SUMMARY' }] })
    expect(job.result.reason).toContain('supports content up to a size of 1024k, but got 1075k')
  })

  test('hashes files of the workspace in expressions', async () => {
    const job = await run({
      steps: [
        { run: 'printf a > a.lock; printf b > b.lock' },
        { run: expr("format('echo {0}', hashFiles('*.lock', '!b.lock'))") },
      ],
    })
    // sha256 of the sha256 of "a"
    expect(printed(job)).toEqual(['bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8'])
  })

  test('shows debug lines only when ACTIONS_STEP_DEBUG asks for them', async () => {
    const steps = [{ run: 'echo "::debug::details"; echo ${RUNNER_DEBUG:-off}' }]
    expect(printed(await run({ steps }))).toEqual(['off'])
    expect(printed(await run({ steps, vars: { ACTIONS_STEP_DEBUG: 'true' } }))).toEqual(['##[debug]details', '1'])
  })
})

describe('a secret', () => {
  const secret = 'tok-5ecret-value'

  test('appears nowhere, in whatever form a step prints it', async () => {
    const job = await run({
      secrets: { TOKEN: secret },
      masks: ['from-the-order'],
      leg: { environment: { name: 'staging', url: expr("format('https://{0}/', secrets.TOKEN)") } },
      outputs: { leak: expr('secrets.TOKEN'), fine: 'plain' },
      steps: [
        {
          name: `Print ${secret}`,
          run: 'echo "$T"; echo -n "$T" | base64; echo from-the-order',
          env: { T: expr('secrets.TOKEN') },
        },
        { run: 'echo "::warning::$T"; echo "::error title=$T::x"; exit 1', env: { T: expr('secrets.TOKEN') } },
        { run: 'v=made-$((40+2))-now; echo "::add-mask::$v"; echo a $v b', if: 'always()' },
      ],
    })
    const said = JSON.stringify(rig.messages) + job.log
    for (const text of [secret, btoa(secret), 'from-the-order', 'made-42-now']) expect(said).not.toContain(text)
    expect(job.result.outputs).toEqual({ fine: 'plain' })
    expect(job.result).not.toHaveProperty('environmentUrl')
    expect(messagesOf(job.result.annotations, 'warning')).toContain("Skip output 'leak' since it may contain secret.")
    expect(job.log).toContain('a *** b')
  })

  test('of one job is no secret of the next job of the same runner', async () => {
    const job = await run({ steps: [{ run: `echo ${secret}` }] })
    expect(printed(job)).toEqual([secret])
  })
})

describe('the log', () => {
  test('keeps garbage readable and cuts a line without an end', async () => {
    const job = await run({
      steps: [{ run: "printf 'a\\xff\\xfeb\\n'; head -c 600000 /dev/zero | tr '\\0' x; printf '\\xe2\\x82'" }],
    })
    const lines = printed(job)
    expect(lines[0]).toBe('a\uFFFD\uFFFDb')
    // A piece ends with the chunk that makes it too long.
    const pieces = lines.slice(1, -1).map((line) => line.length)
    expect(pieces.every((length) => length >= lineBytesMax && length < lineBytesMax + 65_536)).toBe(true)
    expect(pieces).toHaveLength(2)
    expect(lines.slice(1).join('')).toBe(`${'x'.repeat(600_000)}\uFFFD`)
    expect(job.result.conclusion).toBe('success')
  })

  test('of ten million lines costs no memory', { tags: ['slow'] }, async () => {
    await using fresh = RunnerRig.start()
    await fresh.run({ steps: [{ run: 'seq 100000' }] })
    const before = peakBytes(fresh.pid)
    const job = await fresh.run({ steps: [{ run: 'seq 10000000' }] })
    expect(statSync(job.order.paths.log).size).toBeGreaterThan(78_000_000)
    expect(peakBytes(fresh.pid) - before).toBeLessThan(40_000_000)
    expect(statSync(`${job.order.paths.log}.idx`).size).toBeLessThan(100_000)
  })

  test('that cannot be written ends the job with the reason', async () => {
    const log = join(rig.root, 'full', 'job.log')
    mkdirSync(join(rig.root, 'full'))
    symlinkSync('/dev/full', log)
    const order = rig.begin({ jobKey: 'full', steps: [{ run: 'sleep 60' }], paths: { log } })
    const done = await rig.message((message) => message.type === 'done' && message.jobKey === order.jobKey)
    expect(done).toMatchObject({
      result: { conclusion: 'failure', reason: expect.stringContaining('cannot be written') },
    })
  })
})

function peakBytes(pid: number): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}

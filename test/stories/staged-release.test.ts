/**
 * The two workflows of the staged-release requirements, as they stand in that document, in a real repository. What they fetch from the network
 * is there as programs on PATH that write down how they were called: `curl` (installers, health checks), `uv`, and `sleep`, which does not.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { conformanceRoot } from '../conformance/data.ts'
import { checkRun } from '../conformance/run-fact.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const document = path.join(conformanceRoot, '../requirements/4-staged-release.md')
const missing = existsSync(document) ? undefined : `there is no ${document} (set SHIPWAY_CONFORMANCE)`

describe.skipIf(missing !== undefined)(`the workflows of the staged release ${missing ?? ''}`, () => {
  test('a push to main tests, scans, lints, and then deploys to staging', async () => {
    using project = makeProject()
    await using shipway = startShipway(project)

    const end = await shipway.call(project.root, 'run', '--json')

    checkRun(end, {
      document: { workflow: 'Deploy to Staging', event: 'push', ref: 'refs/heads/main' },
      jobs: {
        test: {
          steps: 'success success success success success success success',
          says: [
            'uv is installed',
            'uv sync --all-packages',
            'uv run pytest',
            'uv run ruff check .',
            'no problems found',
          ],
        },
        'deploy-staging': {
          steps: 'success success',
          says: [
            '🚀 Deploying to staging environment...',
            '✅ Staging deployment initiated',
            'healthy',
            '✅ Staging deployment validated',
          ],
        },
      },
      annotations: [],
    })
    expect(calls(project)).toEqual([
      'curl -LsSf https://astral.sh/uv/install.sh',
      'uv sync --all-packages',
      'uv run pytest',
      'uv run bandit -r services/ingestion/',
      'uv run ruff check .',
      'curl -LsSf https://github.com/rhysd/actionlint/releases/latest/download/actionlint_linux_amd64.tar.gz',
      'actionlint',
      'sleep 30',
      expect.stringMatching(/^curl -f http:\S+\/healthz$/),
    ])
  })

  test('a finding of the security scan stops it before staging', async () => {
    using project = makeProject()
    await using shipway = startShipway(project)
    project.commit({ 'services/ingestion/app.py': 'eval(input())\n' }, 'Add a hole')

    const end = await shipway.call(project.root, 'run', '--json')

    checkRun(end, {
      exit: 1,
      jobs: {
        test: {
          conclusion: 'failure',
          steps: 'success success success success failure skipped skipped',
          says: ['found eval in services/ingestion/app.py'],
          reason: 'Step 5 "Security scan" failed',
        },
        'deploy-staging': { conclusion: 'skipped', reason: 'Job "test", which it needs, failed.' },
      },
    })
    expect(calls(project).some((call) => call.includes('healthz'))).toBe(false)
  })

  test('a staging that does not answer makes the run red', async () => {
    using project = makeProject()
    await using shipway = startShipway(project)
    shipway.env['ILL'] = '1'

    const end = await shipway.call(project.root, 'run', '--json')

    checkRun(end, {
      exit: 1,
      jobs: {
        test: {},
        'deploy-staging': {
          conclusion: 'failure',
          steps: 'success failure',
          never: ['✅ Staging deployment validated'],
        },
      },
      annotations: ['error Process completed with exit code 22.'],
    })
  })

  test('only a version tag goes to production', async () => {
    using project = makeProject()
    await using shipway = startShipway(project)
    for (const tag of ['v1.2.3', 'v1.2', 'v1.2.3-rc1']) project.git('tag', tag)

    await storeReleaseAction(shipway, project)
    const candidate = await shipway.call(project.root, 'run', '--ref', 'v1.2.3-rc1', '--json')
    checkRun(candidate, {
      exit: 1,
      jobs: {
        'deploy-production': { conclusion: 'failure', steps: 'success failure skipped skipped skipped skipped' },
      },
      annotations: [
        'error Invalid tag format. Use semantic versioning (v1.0.0)',
        'error Process completed with exit code 1.',
      ],
    })

    const short = await shipway.call(project.root, 'run', '--ref', 'v1.2', '--json')
    checkRun(short, { exit: 2, error: 'WORKFLOW_NOT_TRIGGERED', says: ['v*.*.*', 'names only branches'] })
  })

  test('its release is created by the action of another repository, once that is stored', async () => {
    using project = makeProject()
    await using shipway = startShipway(project)
    project.git('tag', 'v1.2.3')
    const missing = await shipway.call(project.root, 'run', '--ref', 'v1.2.3', '--json')
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain('"actions/create-release@v1" is not in the store of actions')

    await storeReleaseAction(shipway, project)
    const end = await shipway.call(project.root, 'run', '--ref', 'v1.2.3', '--json', '--secret', 'GITHUB_TOKEN')

    checkRun(end, {
      document: { workflow: 'Deploy to Production', ref: 'refs/tags/v1.2.3' },
      jobs: {
        'deploy-production': {
          steps: 'success success success success success success',
          says: [
            '🏷️  Deploying tag: v1.2.3',
            'created Release refs/tags/v1.2.3 for refs/tags/v1.2.3 as ***: ## Release v1.2.3',
          ],
        },
      },
      never: ['forge-token'],
    })
  })
})

async function storeReleaseAction(shipway: Shipway, project: Repository): Promise<void> {
  using action = new Repository({ 'action.yml': actionFile, 'main.js': actionProgram })
  const words = ['actions', 'add', action.root, 'actions/create-release@v1', '--no-lock']
  const added = await shipway.call(project.root, ...words)
  expect(added.status, added.stderr).toBe(0)
}

/** What stands in for `actions/create-release`: the same inputs, and a line instead of a call to the forge. */
const actionFile = `name: Create a Release
inputs:
  tag_name: { required: true }
  release_name: { required: true }
  body_path: {}
  draft: { default: 'false' }
  prerelease: { default: 'false' }
runs: { using: node12, main: main.js }
`
const actionProgram = `const { readFileSync } = require('node:fs')
const { env } = process
const [body] = readFileSync(env.INPUT_BODY_PATH, 'utf8').split('\\n')
console.log('created ' + env.INPUT_RELEASE_NAME + ' for ' + env.INPUT_TAG_NAME + ' as ' + env.GITHUB_TOKEN + ': ' + body)
`

/** A repository with both workflows, and beside them the programs that stand in for the network. */
function makeProject(): Repository {
  const [staging = '', production = ''] = [...readFileSync(document, 'utf8').matchAll(/^```yaml\n([^]*?)^```$/gm)]
    .map((match) => match[1] ?? '')
    .filter((text) => text.includes('\njobs:'))
  const repository = new Repository()
  repository.write({ '.git/stand-in/.keep': '', ...standIns(path.join(repository.root, '.git/stand-in')) })
  repository.commit({
    '.github/workflows/deploy-staging.yml': staging,
    '.github/workflows/deploy-production.yml': production,
    'services/ingestion/app.py': 'print("hello")\n',
  })
  return repository
}

function startShipway(project: Repository): Shipway {
  const shipway = new Shipway()
  shipway.env['GITHUB_TOKEN'] = 'forge-token'
  shipway.env['PATH'] = `${path.join(project.root, '.git/stand-in')}:${process.env['PATH']}`
  return shipway
}

/** Executable files by name; each writes its call into `calls`. */
function standIns(folder: string): Readonly<Record<string, string>> {
  const program = (name: string, body: string): readonly [string, string] => [
    `.git/stand-in/${name}*`,
    `#!/bin/sh\necho "${name} $*" | sed 's/ *$//' >> '${folder}/calls'\n${body}\n`,
  ]
  return Object.fromEntries([
    program('sleep', ':'),
    program('actionlint', 'echo no problems found'),
    program(
      'curl',
      `case "$*" in
  *install.sh) echo 'echo uv is installed' ;;
  *.tar.gz) exec tar czf - -C '${folder}' actionlint ;;
  *healthz) [ -z "$ILL" ] || exit 22; echo healthy ;;
  *) exit 6 ;;
esac`,
    ),
    program(
      'uv',
      `echo "uv $*"
case "$*" in
  'run bandit'*) if grep -rl eval services/ingestion; then echo 'found eval in services/ingestion/app.py'; exit 1; fi ;;
esac`,
    ),
  ])
}

function calls(project: Repository): readonly string[] {
  return readFileSync(path.join(project.root, '.git/stand-in/calls'), 'utf8').trim().split('\n')
}

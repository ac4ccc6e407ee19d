import type { DetectedProject } from './detect.ts'

/** Files that `shipway init` writes, with their paths below the root. */
export const workflowPath = '.github/workflows/ci.yml'
export const projectPath = 'shipway.yml'
/** Where the two environments of a fresh project are put: on this machine, outside of what git sees. */
export const targetsFolder = '.shipway/targets'

/** A workflow in plain GitHub Actions syntax: it runs here and on GitHub alike. */
export function renderWorkflow(project: DetectedProject): string {
  const steps = project.steps.map(({ name, run }) => {
    const lines = run.split('\n')
    const body = lines.length === 1 ? ` ${scalar(run)}` : ` |\n${lines.map((line) => `          ${line}`).join('\n')}`
    return `      - name: ${name}\n        run:${body}`
  })
  return `# Plain GitHub Actions syntax. \`shipway run\` does on this machine what a push would do there.
name: CI
on:
  push:
  pull_request:

jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v4
${steps.join('\n')}
`
}

/** Two environments on this machine: the smallest setup in which a release goes from one stage to the next. */
export function renderProject(project: Pick<DetectedProject, 'name'>, branch: string): string {
  return `# What a release of ${project.name} is, and where it may go. \`shipway lint\` checks this file, \`shipway status\` shows what is where.
name: ${scalar(project.name)}

release:
  files: ['**', '!.github/**'] # of the commit; or \`artifact: NAME\` for what a job uploaded
  requires: [test] # jobs that must be green before it is sealed

environments:
  staging:
    from: [${scalar(branch)}] # branches or version tags that may come here
    auto: true # a green push of such a branch is deployed by itself
    driver: directory
    targets: [./${targetsFolder}/staging] # or ssh://user@host/srv/${project.name}
    # restart: systemctl --user restart ${project.name}
    # health: { url: 'http://127.0.0.1:3000/healthz', within: 60s, every: 1s }
    retain: 3

  production:
    from: [${scalar(branch)}]
    after: [staging] # only what staging has verified
    approvals: { count: 1, expires: 24h }
    driver: directory
    targets: [./${targetsFolder}/production]
    retain: 3
`
}

/** A YAML scalar: quoted only where plain text would mean something else. */
function scalar(text: string): string {
  return /^[A-Za-z0-9_./][A-Za-z0-9_./ -]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|[\d.]+)$/i.test(text)
    ? text
    : `'${text.replaceAll("'", "''")}'`
}

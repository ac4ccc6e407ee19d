import type { DetectedArtifact, DetectedProject } from './detected-project.ts'

/** Files that `shipway init` writes, with their paths below the root. */
export const workflowPath = '.github/workflows/ci.yml'
export const projectPath = 'shipway.yml'
/** Where the two environments of a fresh project are put: on this machine, outside of what git sees. */
export const targetsFolder = '.shipway/targets'
/** What the job uploads and the release takes. */
const artifactName = 'release'

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
${[...steps, ...(project.artifact === undefined ? [] : [renderUpload(project.artifact)])].join('\n')}
`
}

function renderUpload({ paths, isHidden = false }: DetectedArtifact): string {
  const [only = '', ...more] = paths
  const body = more.length === 0 ? ` ${scalar(only)}` : ` |\n${paths.map((path) => `            ${path}`).join('\n')}`
  return `      - name: Keep what a release needs
        uses: actions/upload-artifact@v4
        with:
          name: ${artifactName}
          path:${body}${isHidden ? '\n          include-hidden-files: true' : ''}
          if-no-files-found: error`
}

/** Two environments on this machine: the smallest setup in which a release goes from one stage to the next. */
export function renderProject(project: Pick<DetectedProject, 'name' | 'artifact'>, branch: string): string {
  return `# What a release of ${project.name} is, and where it may go. \`shipway lint\` checks this file, \`shipway status\` shows what is where.
name: ${scalar(project.name)}

release:
  ${
    project.artifact === undefined
      ? "files: ['**', '!.github/**'] # of the commit; or `artifact: NAME` for what a job uploaded"
      : `artifact: ${artifactName} # what the job uploads; or \`files: ['**']\` for files of the commit`
  }
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

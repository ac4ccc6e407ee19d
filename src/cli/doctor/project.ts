import type { TargetConfig } from '#core/project/model.ts'
import { KnownError } from '#core/errors.ts'
import type { EnvironmentConfig, ProjectConfig } from '#core/project/model.ts'
import { shortDigest } from '#core/view/name.ts'
import { readHome } from '../open-home.ts'
import { findProject } from '../project.ts'
import { remarkOnRules } from '../rules-in-force.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import type { TargetFinding } from '#ports/deploy-driver.ts'
import type { TargetReport } from '../services.ts'
import type { Session } from '../session.ts'
import { readWorkflows } from '../workflow-source.ts'
import type { Check } from './check.ts'
import { fail, ok, skip, warn } from './check.ts'

/** Time that all targets together may take to answer. Milliseconds. */
const targetsDeadlineMs = 30_000

/** The project of the folder: its repository, shipway.yml and workflows. */
export async function checkProject(
  session: Session,
): Promise<{ readonly checks: readonly Check[]; readonly config: ProjectConfig | undefined; readonly root: string }> {
  const repository = await describe(session)
  const root = 'facts' in repository ? repository.facts.root : session.directory
  const project = await findProject(root)
  const checks = ['facts' in repository ? checkRepository(repository.facts) : repository.check]
  if (project === undefined) checks.push(skip('shipway.yml', 'not here; `shipway init` writes one'))
  else {
    const errors = project.parsed.diagnostics.filter(({ severity }) => severity === 'error').length
    const count = project.parsed.value?.environments.length ?? 0
    checks.push(
      errors > 0
        ? fail('shipway.yml', errors === 1 ? '1 mistake' : `${errors} mistakes`, '`shipway lint` shows them.')
        : ok('shipway.yml', `${count} environments`),
    )
  }
  const application = project?.parsed.value?.application
  if (application !== undefined) checks.push(await checkRules(session, application))
  checks.push(await checkWorkflows(root))
  return { checks, config: project?.parsed.value, root }
}

async function describe(session: Session): Promise<{ readonly facts: RepositoryFacts } | { readonly check: Check }> {
  try {
    return { facts: await session.services.describeRepository(session.directory) }
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return { check: warn('repository', error.message, error.hint ?? '') }
  }
}

function checkRepository(facts: RepositoryFacts): Check {
  if (facts.sha === undefined)
    return warn('repository', `${facts.root} has no commit`, 'git add -A && git commit -m "first"')
  const where = facts.ref ?? 'detached HEAD'
  return ok(
    'repository',
    `${facts.root} at ${facts.sha.slice(0, 7)} (${where})${facts.changes.length === 0 ? '' : `, ${facts.changes.length} uncommitted`}`,
  )
}

async function checkRules(session: Session, application: string): Promise<Check> {
  const remark = await readHome(session, async (q) => remarkOnRules(session, q, application))
  return remark === undefined
    ? ok('rules', 'shipway.yml of the default branch counts')
    : warn('rules', remark.message, remark.hint)
}

async function checkWorkflows(root: string): Promise<Check> {
  const files = await readWorkflows(root, root, undefined)
  if (files.length === 0)
    return skip('workflows', 'none in .github/workflows or .shipway/workflows; `shipway init` writes one')
  const wrong = files.filter(({ parsed }) => parsed.value === undefined)
  if (wrong.length > 0)
    return fail(
      'workflows',
      `${wrong.map(({ file }) => file).join(', ')} not valid`,
      '`shipway lint` shows the mistakes.',
    )
  return ok('workflows', `${files.length} valid`)
}

/** Every target of every environment, asked at the same time. */
export async function checkTargets(
  session: Session,
  config: ProjectConfig | undefined,
  root: string,
): Promise<readonly Check[]> {
  if (config === undefined || config.environments.length === 0) return [skip('targets', 'no environment is defined')]
  const signal = AbortSignal.timeout(targetsDeadlineMs)
  const reports = await Promise.all(
    config.environments.map(async (environment) => inspect(session, { config, environment, root }, signal)),
  )
  return reports.flat()
}

interface Place {
  readonly config: ProjectConfig
  readonly environment: EnvironmentConfig
  readonly root: string
}

async function inspect(
  session: Session,
  { config, environment, root }: Place,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  try {
    const reports = await session.services.inspectTargets(
      config.application,
      environment,
      { projectRoot: root, home: session.home, isExamined: true },
      signal,
    )
    return reports.flatMap((report) => [
      targetCheck(environment.name, report),
      ...(report.findings ?? []).map((finding) => findingCheck(`${environment.name} ${report.target.name}`, finding)),
    ])
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return [fail(environment.name, error.message, error.hint ?? 'Check the host and the way to it.')]
  }
}

/** What a person types to see what Shipway sees: with the port, the key and whatever else shipway.yml says. */
export function sshByHand({ user, host, port, options }: Extract<TargetConfig, { kind: 'ssh' }>): string {
  const words = [
    'ssh',
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...options.flatMap((option) => [
      '-o',
      /^[\w@%+=:,./~-]+$/.test(option) ? option : `'${option.replaceAll("'", String.raw`'\''`)}'`,
    ]),
    `${user === undefined ? '' : `${user}@`}${host}`,
    'true',
  ]
  return words.join(' ')
}

function targetCheck(environment: string, { target, state }: TargetReport): Check {
  const name = `${environment} ${target.name}`
  // With a code it is more than that it does not answer, and its own hint knows better.
  if (state.kind === 'unknown')
    return fail(name, state.why, (state.code === undefined ? undefined : state.hint) ?? hintFor(target, state.hint))
  if (state.pending !== undefined)
    return warn(
      name,
      `a switch to ${shortDigest(state.pending.release)} waits for its confirmation`,
      `\`shipway status\`; it goes back by itself at ${new Date(state.pending.revertsAt).toISOString()}.`,
    )
  if (state.says !== undefined)
    return state.says.isIll
      ? warn(name, `it says ${state.says.text}`, 'Look at the platform.')
      : ok(name, `reachable, it says ${state.says.text}`)
  if (target.kind === 'webhook') return ok(name, 'its secrets are there; what it runs shows when it deploys')
  return ok(
    name,
    state.current === undefined
      ? 'reachable, nothing there yet'
      : `runs ${state.version ?? shortDigest(state.current)}${state.serving === undefined ? '' : `; its nginx serves ${state.serving}`}`,
  )
}

/** Only what deployments need and a target says of itself: `staging host: docker engine`. */
function findingCheck(place: string, { name, status, found, fix }: TargetFinding): Check {
  return { name: `${place}: ${name}`, status, found, ...(fix === undefined ? {} : { fix }) }
}

function hintFor(target: TargetConfig, hint: string | undefined): string {
  if (target.kind === 'ssh') return `Try it by hand: \`${sshByHand(target)}\`.`
  return target.kind === 'local' ? 'Check the folder and its owner.' : (hint ?? 'Check its address and its secrets.')
}

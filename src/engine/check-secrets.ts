import { admitsRef } from '#core/environment/ref-rule.ts'
import { runSecretsMissing } from '#core/known/run.ts'
import { certainWork } from '#core/plan/wanted-environment.ts'
import type { CertainWork } from '#core/plan/wanted-environment.ts'
import type { EnvironmentConfig, ProjectConfig } from '#core/project/model.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { loadApplication } from '#store/application.ts'
import type { PreparedRuns } from './admit-run.ts'
import type { AgentContext } from './context.ts'
import { loadSecrets } from './deployment/load-secrets.ts'
import { planRequest } from './plan-request.ts'

/** Who asks for an environment: a job that names it, or what deploys there. */
interface Asking {
  readonly config: EnvironmentConfig
  readonly job?: string
}

/**
 * Throws RUN_SECRETS_MISSING, with all of them, when it is certain before anything runs that the run comes to an environment, or calls a workflow, whose required
 * secrets nobody has given: it would fail there, after an hour of tests. An environment that refuses the ref anyway is another matter, and so is a job
 * that may be skipped: they are asked at their turn, as ever.
 */
export async function checkSecrets(
  context: Pick<AgentContext, 'files' | 'store'>,
  request: RunRequest,
  prepared: PreparedRuns,
): Promise<void> {
  const { project, models, environments } = prepared
  const wantsAny = project?.environments.some(({ secrets }) => secrets.length > 0) === true
  if (!wantsAny && models.every(({ calls }) => Object.keys(calls).length === 0)) return
  const planned = models.map((linked) => planRequest(linked, request, environments))
  const work = certainWork(planned, request.secretNames)
  const askings = project === undefined ? [] : await askingsOf(context, { request, prepared, project, work })
  const missing = askings.flatMap(({ config, job }) => {
    const { application } = request
    const kept = loadSecrets(context, { application, environment: config.name, tickets: [] })
    const names = config.secrets.filter((name) => !request.secretNames.includes(name) && kept[name] === undefined)
    return names.length === 0 ? [] : [{ names, environment: config.name, ...(job === undefined ? {} : { job }) }]
  })
  const unpassed = [...work.unpassed].map(([name, job]) => ({ names: [name], job }))
  if (missing.length + unpassed.length > 0)
    throw runSecretsMissing({ application: request.application, missing: [...missing, ...unpassed] })
}

async function askingsOf(
  { store }: Pick<AgentContext, 'store'>,
  asked: {
    readonly request: RunRequest
    readonly prepared: PreparedRuns
    readonly project: ProjectConfig
    readonly work: CertainWork
  },
): Promise<readonly Asking[]> {
  const { request, prepared, project, work } = asked
  // A job goes by the rules in force, a deployment by what is sealed with its release.
  const known = prepared.isInForce ? undefined : await loadApplication(store.query, request.application)
  const rules = known?.config ?? project
  const asking = ({ environments }: ProjectConfig, wanted: ReadonlyMap<string, string>): readonly Asking[] =>
    environments.flatMap((config) => {
      const job = wanted.get(config.name)
      return job === undefined ? [] : [{ config, job }]
    })
  const all = [...asking(rules, work.jobs), ...asking(project, work.deploys), ...automatic(request, project, work)]
  const places = [...new Set([...project.environments, ...rules.environments].map(({ name }) => name))]
  return places
    .flatMap((name) => all.find(({ config }) => config.name === name) ?? [])
    .filter(({ config }) => mayTake(config, request))
}

/** Environments that take the release of the run by themselves; a run that uploads no artifact of that name may seal none. */
function automatic(
  { job, matrix }: RunRequest,
  { environments, release }: ProjectConfig,
  { uploads }: CertainWork,
): readonly Asking[] {
  const isPartial = job !== undefined || matrix !== undefined
  if (isPartial || (release.artifact !== undefined && !uploads.has(release.artifact))) return []
  return environments.filter(({ auto }) => auto).map((config) => ({ config }))
}

function mayTake({ from, after, approvals }: EnvironmentConfig, { event, dirty }: RunRequest): boolean {
  const isGuarded = after.length > 0 || approvals !== undefined
  return admitsRef(from, event.ref) && !event.ref.startsWith('refs/pull/') && !(dirty && isGuarded)
}

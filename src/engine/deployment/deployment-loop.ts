import { KnownError, reportError } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { admitsRef } from '#core/environment/ref-rule.ts'
import { deploymentDone, deploymentNotFound, deploymentStarted } from '#core/known/deployment.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import type {
  BackupRequest,
  DecisionRequest,
  DeployRequest,
  EnvironmentRequest,
  ReleaseRequest,
  RestoreRequest,
  TicketOutcome,
} from '#core/ticket/model.ts'
import type { Verdict } from '#core/environment/check.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication, saveApplication } from '#store/application.ts'
import { loadDeployment, openDeployments } from '#store/deployment.ts'
import { loadRun } from '#store/run.ts'
import type { Delivery, SealedRun, TicketOf } from '../delivery.ts'
import { admitBackup, admitRestore, ownDatabaseWork } from '../backup/admit-database.ts'
import { cancelDatabase } from '../backup/cancel-database.ts'
import { driveDatabase } from '../backup/drive-database.ts'
import { admitDecision } from './admit-decision.ts'
import { admitDeploy } from './admit-deploy.ts'
import { admitEnvironment } from './admit-environment.ts'
import { UnsealedEvidence } from './collect-evidence.ts'
import type { DeliveryContext } from './context.ts'
import { driveDeployment } from './drive.ts'
import { jobValues } from './job-values.ts'
import type { EnvironmentValues } from './job-values.ts'
import { prepareImport } from './import-release.ts'
import { askForJob, jobVerdict } from './job-verdict.ts'
import { projectFile, sealRelease } from './seal-release.ts'
import type { SealOccasion } from './seal-release.ts'
import { writeDecision } from './write-decision.ts'

/**
 * Releases and deployments of one agent. Holds nothing but the drives that are under way: everything else is in the store, so a new one
 * after a crash goes on where the old one was.
 */
export class DeploymentLoop implements Delivery {
  readonly #context: DeliveryContext
  readonly #unsealed = new UnsealedEvidence()
  /** One drive per deployment: a second call waits for the first. */
  readonly #drives = new Map<string, Promise<'done' | 'waiting'>>()
  /** What ends a backup or a restore that is under way, or what a deployment waits for. */
  readonly #stops = new Map<string, AbortController>()

  constructor(context: DeliveryContext) {
    this.#context = context
  }

  admitDeploy(query: Query, ticket: TicketOf<DeployRequest>): Promise<TicketOutcome> {
    return refusable(() => admitDeploy(this.#context, query, ticket))
  }

  admitDecision(query: Query, ticket: TicketOf<DecisionRequest>): Promise<TicketOutcome> {
    return refusable(() => admitDecision(this.#context, query, ticket))
  }

  admitEnvironment(query: Query, ticket: TicketOf<EnvironmentRequest>): Promise<TicketOutcome> {
    return refusable(() => admitEnvironment(this.#context, query, ticket))
  }

  admitBackup(query: Query, ticket: TicketOf<BackupRequest>): Promise<TicketOutcome> {
    return refusable(() => admitBackup(this.#context, query, ticket))
  }

  admitRestore(query: Query, ticket: TicketOf<RestoreRequest>): Promise<TicketOutcome> {
    return refusable(() => admitRestore(this.#context, query, ticket))
  }

  async driveDatabase(id: string, signal: AbortSignal): Promise<void> {
    const stop = new AbortController()
    this.#stops.set(id, stop)
    try {
      await driveDatabase(this.#context, id, AbortSignal.any([signal, stop.signal]))
    } finally {
      this.#stops.delete(id)
    }
  }

  cancelDatabase(query: Query, id: string, by: string, reason: string): Promise<TicketOutcome> {
    return refusable(() => cancelDatabase(query, id, { by, reason }))
  }

  stop(id: string): void {
    this.#stops.get(id)?.abort(new Error(`${id} is cancelled`))
  }

  openDatabases(): Promise<readonly string[]> {
    return ownDatabaseWork(this.#context)
  }

  drive(deployment: string, signal: AbortSignal): Promise<'done' | 'waiting'> {
    const running = this.#drives.get(deployment)
    if (running !== undefined) return running
    const stop = new AbortController()
    const drive = driveDeployment(this.#context, deployment, { signal, stop: stop.signal }).finally(() => {
      this.#drives.delete(deployment)
      this.#stops.delete(deployment)
    })
    this.#drives.set(deployment, drive)
    this.#stops.set(deployment, stop)
    return drive
  }

  async open(): Promise<readonly string[]> {
    return (await openDeployments(this.#context.store.query)).map(({ id }) => id)
  }

  cancel(query: Query, id: string, by: string, reason: string): Promise<TicketOutcome> {
    return refusable(async () => {
      const deployment = await loadDeployment(query, id)
      if (deployment === undefined) throw deploymentNotFound({ deployment: id })
      if (deployment.state === 'done')
        throw deploymentDone({ deployment: id, conclusion: deployment.conclusion ?? 'done' })
      if (deployment.state === 'confirm' || deployment.state === 'revert')
        throw deploymentStarted({ deployment: id, phase: deployment.state, wanted: 'cancel' })
      await writeDecision(this.#context, query, id, { kind: 'cancel', by, reason })
      return { kind: 'accepted', subjects: [id] }
    })
  }

  async describeDeployment(id: string): Promise<{
    readonly deployment: string
    readonly release: string
    readonly version: string
    readonly url: string
  }> {
    const { query } = this.#context.store
    const deployment = await loadDeployment(query, id)
    if (deployment === undefined) throw deploymentNotFound({ deployment: id })
    const application = await loadApplication(query, deployment.application)
    const config = application?.config.environments.find((environment) => environment.name === deployment.environment)
    return {
      deployment: id,
      release: deployment.release,
      version: deployment.document.plan.version,
      url: config?.url ?? '',
    }
  }

  valuesForJob(run: string, environment: string): Promise<EnvironmentValues> {
    return jobValues(this.#context, run, environment)
  }

  verdictForJob(run: string, environment: string): Promise<Verdict> {
    return jobVerdict(this.#context, this.#unsealed, run, environment)
  }

  askForJob(run: string, environment: string, signal: AbortSignal): Promise<void> {
    return askForJob(this.#context, this.#unsealed, { run, environment }, signal)
  }

  async sealRun(run: string, occasion: SealOccasion = 'step'): Promise<SealedRun | undefined> {
    const sealed = await sealRelease(this.#context, run, occasion)
    if (sealed === undefined) return undefined
    const { release, ...how } = sealed
    return { ...how, release: release.id, version: release.manifest.version }
  }

  prepareImport(ticket: TicketOf<ReleaseRequest>): ReturnType<Delivery['prepareImport']> {
    return prepareImport(this.#context, ticket)
  }

  async automaticEnvironments(runId: string): Promise<readonly string[]> {
    const { query } = this.#context.store
    const run = await loadRun(query, runId)
    const application = run === undefined ? undefined : await loadApplication(query, run.application)
    if (run === undefined || application === undefined) return []
    return inOrder(application.config.environments)
      .filter((environment) => environment.auto && admitsRef(environment.from, run.ref))
      .map(({ name }) => name)
  }

  async registerApplication(query: Query, run: Parameters<Delivery['registerApplication']>[1]): Promise<void> {
    const known = await loadApplication(query, run.application)
    if (known !== undefined && !run.isInForce) return
    const { value } = parseProject({ file: projectFile, text: run.configText, folderName: run.application })
    if (value === undefined) return
    await saveApplication(query, {
      name: run.application,
      repository: run.repository,
      config: { ...value, application: run.application },
      configSha: run.sha,
    })
  }
}

/** Environments with every one after those that it comes after, otherwise in the order of the file. */
function inOrder(environments: readonly EnvironmentConfig[]): readonly EnvironmentConfig[] {
  const sorted: EnvironmentConfig[] = []
  const take = (environment: EnvironmentConfig): void => {
    if (sorted.includes(environment)) return
    for (const name of environment.after) {
      const before = environments.find((candidate) => candidate.name === name)
      if (before !== undefined) take(before)
    }
    sorted.push(environment)
  }
  for (const environment of environments) take(environment)
  return sorted
}

/** A known error becomes the outcome of the ticket. All admissions check before they write, so nothing half-done stays. */
async function refusable(admit: () => Promise<TicketOutcome>): Promise<TicketOutcome> {
  try {
    return await admit()
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    const report: ErrorReport = reportError(error)
    return { kind: 'refused', error: report as unknown as Json }
  }
}

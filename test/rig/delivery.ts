import { createHash } from 'node:crypto'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askReviews } from '#adapters/forge/ask-reviews.ts'
import { askQuality } from '#adapters/sonarqube/ask-quality.ts'
import { blobStore } from '#adapters/blob-store/blob-store.ts'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { systemGit } from '#adapters/git/git.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { httpProbe } from '#adapters/http-probe/http-probe.ts'
import { postgresTool } from '#adapters/postgres-tool/postgres-tool.ts'
import { randomIds } from '#adapters/ids/random-ids.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { composeDriver } from '#drivers/compose/driver.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import { webhookDriver } from '#drivers/webhook/driver.ts'
import type { DirectoryDriver } from '#drivers/directory/driver.ts'
import type { DeployRequest, TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import type { Release } from '#core/release/model.ts'
import type { DeliveryContext } from '#engine/deployment/context.ts'
import { DeploymentLoop } from '#engine/deployment/deployment-loop.ts'
import { sealRelease } from '#engine/deployment/seal-release.ts'
import type { DeployDriver } from '#ports/deploy-driver.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { loadDeployment } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { migrate } from '#store/migrate.ts'
import { insertTicket } from '#store/ticket.ts'
import type { NewJob } from '#store/job.ts'
import { Repository } from './repository.ts'
import { seedRun, someDocument, someJob, someRun, someTicket } from './store.ts'

export interface StageOptions {
  /** Text of shipway.yml; `PORT` is replaced by the port of the service of the first target. */
  readonly config: string
  /** Wraps the real driver, or takes its place. */
  readonly driver?: (real: DeployDriver) => DeployDriver
}

/**
 * Everything that a deployment touches, for real: a git repository, a home with its store and blobs, folders as targets, and
 * an HTTP service per target that serves whatever `current` points to.
 */
export class DeliveryStage implements AsyncDisposable {
  readonly repository = new Repository()
  readonly folder: string
  readonly store: SqlDriver
  readonly files: HomeFiles
  readonly context: DeliveryContext
  loop: DeploymentLoop
  readonly #services: readonly Server[]
  readonly #driver: DirectoryDriver
  readonly #config: string
  #runs = 0

  static async start(options: StageOptions): Promise<DeliveryStage> {
    const folder = await mkdtemp(join(tmpdir(), 'shipway-delivery-'))
    const files = openHomeFiles(join(folder, 'home'))
    files.prepare()
    const store = await openSqlite({ path: join(folder, 'state.db') })
    await migrate(store)
    const services = await Promise.all(
      ['one', 'two', 'three'].map((name) => serve(join(folder, 'targets', name, 'current'))),
    )
    return new DeliveryStage({ folder, files, store, services, options })
  }

  private constructor(made: {
    folder: string
    files: HomeFiles
    store: SqlDriver
    services: readonly Server[]
    options: StageOptions
  }) {
    this.folder = made.folder
    this.files = made.files
    this.store = made.store
    this.#services = made.services
    this.#config = made.options.config
      .replaceAll('TARGETS', join(this.folder, 'targets'))
      .replaceAll('PORT', String(this.port()))
    const real = directoryDriver({ openShell, clock: systemClock })
    this.#driver = real
    this.context = {
      store: this.store,
      files: this.files,
      git: systemGit,
      clock: systemClock,
      ids: randomIds,
      sha256,
      program: 'test',
      blobs: blobStore({ root: this.files.absolute('blobs'), tmp: this.files.absolute('tmp') }),
      backups: blobStore({ root: this.files.absolute('backups'), tmp: this.files.absolute('tmp'), isPrivate: true }),
      databases: postgresTool(openShell),
      probe: httpProbe,
      askQuality,
      askReviews,
      drivers: {
        directory: made.options.driver?.(real) ?? real,
        compose: composeDriver(real),
        webhook: webhookDriver({ clock: systemClock }),
      },
      notify: () => undefined,
    }
    this.loop = new DeploymentLoop(this.context)
  }

  /** Port of the service of a target, counted from 0. */
  port(index = 0): number {
    return (this.#services[index]?.address() as AddressInfo | undefined)?.port ?? 0
  }

  /** Commits files, records a green run of it, and seals its release. */
  async release(
    files: Readonly<Record<string, string>>,
    run: { readonly ref?: string; readonly actor?: string; readonly jobs?: readonly NewJob[] } = {},
  ): Promise<Release> {
    const id = await this.run(files, run)
    const sealed = await sealRelease(this.context, id)
    if (sealed === undefined) throw new Error('nothing was sealed')
    return sealed.release
  }

  /** Commits files and records a run of it, whose rules come into force. */
  async run(
    files: Readonly<Record<string, string>>,
    run: { readonly ref?: string; readonly actor?: string; readonly jobs?: readonly NewJob[] } = {},
  ): Promise<string> {
    const sha = this.repository.commit({ 'shipway.yml': this.#config, ...files })
    this.#runs += 1
    const id = randomIds.next('run')
    const document = { ...someDocument, repository: this.repository.root }
    const ref = run.ref ?? 'refs/heads/main'
    const jobs = run.jobs ?? [someJob('build', { state: 'done', conclusion: 'success' })]
    await seedRun(
      this.store,
      someRun(id, { number: this.#runs, application: 'hello', sha, ref, actor: run.actor ?? 'ada', document }),
      jobs,
    )
    await this.store.transaction((query) =>
      this.loop.registerApplication(query, {
        application: 'hello',
        repository: this.repository.root,
        sha,
        ref,
        configText: files['shipway.yml'] ?? this.#config,
        isInForce: true,
      }),
    )
    return id
  }

  /** Admits a request as the agent does, in one transaction. */
  async admit(request: TicketRequest, by = 'ada'): Promise<TicketOutcome> {
    const ticket = { ...someTicket(randomIds.next('tk')), requestedBy: by }
    return this.store.transaction(async (query) => {
      await insertTicket(query, { ...ticket, request }, 'digest')
      switch (request.kind) {
        case 'deploy':
          return this.loop.admitDeploy(query, { ...ticket, request })
        case 'decision':
          return this.loop.admitDecision(query, { ...ticket, request })
        case 'release':
          return (await this.loop.prepareImport({ ...ticket, request }))(query)
        case 'backup':
          return this.loop.admitBackup(query, { ...ticket, request })
        case 'restore':
          return this.loop.admitRestore(query, { ...ticket, request })
        case 'environment':
          return this.loop.admitEnvironment(query, { ...ticket, request })
        case 'cancel':
          return this.loop.cancel(query, request.subject, by, request.reason ?? 'no reason')
        case 'publish':
        case 'rerun':
        case 'run':
          throw new Error('only what deliveries are about is admitted here')
      }
    })
  }

  /** Asks for a deployment; returns its id. Fails when it is refused. */
  async ask(request: Partial<DeployRequest> & { readonly environment: string }, by = 'ada'): Promise<string> {
    const outcome = await this.admit({ kind: 'deploy', mode: 'deploy', application: 'hello', ...request }, by)
    if (outcome.kind === 'refused') throw new Error(`refused: ${JSON.stringify(outcome.error)}`)
    return outcome.subjects[0] ?? ''
  }

  /** Asks for a deployment, drives it, and returns how it stands then. */
  async deploy(
    request: Partial<DeployRequest> & { readonly environment: string },
    by = 'ada',
  ): Promise<StoredDeployment> {
    const id = await this.ask(request, by)
    await this.drive(id)
    return this.deployment(id)
  }

  async drive(id: string): Promise<'done' | 'waiting'> {
    return this.loop.drive(id, new AbortController().signal)
  }

  /** As after a restart of the agent: a new loop that knows nothing but the store. */
  restart(): void {
    this.loop = new DeploymentLoop(this.context)
  }

  async deployment(id: string): Promise<StoredDeployment> {
    const found = await loadDeployment(this.store.query, id)
    if (found === undefined) throw new Error(`no deployment ${id}`)
    return found
  }

  /** Version that a target serves now; undefined when it serves nothing. */
  async served(target: string): Promise<string | undefined> {
    return readFile(join(this.folder, 'targets', target, 'current', 'version.txt'), 'utf8').catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => new Promise((resolve) => service.close(resolve))))
    await this.#driver[Symbol.asyncDispose]()
    await this.store.close()
    this.repository[Symbol.dispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Answers with `version.txt` of a folder, and with 503 when the release in it says `broken`. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((_request, response) => {
    readFile(join(folder, 'version.txt'), 'utf8').then(
      (version) => response.writeHead(version.startsWith('broken') ? 503 : 200).end(version),
      () => response.writeHead(404).end('nothing is deployed'),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** One environment without other rules than its health, on one target or more. */
export const simpleConfig = (targets = 'TARGETS/one'): string => `name: hello
release: { files: [version.txt] }
environments:
  staging: { targets: [${targets}], health: { url: 'http://127.0.0.1:PORT/', within: 1s, every: 20ms } }
`

/** Production comes after staging, its job `e2e` and the approval of somebody else. */
export const stagedConfig = `name: hello
release: { files: [version.txt] }
environments:
  staging:
    from: [main]
    targets: [TARGETS/one]
    verifiedBy: [e2e]
  production:
    from: [main]
    after: [staging]
    approvals: { count: 1, from: [bo, ada], notAuthor: true }
    targets: [TARGETS/two]
`

/** Waits until a deployment is in one of the states. */
export async function reaches(stage: DeliveryStage, id: string, ...states: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 6000; tries += 1) {
    if (states.includes((await stage.deployment(id)).state)) return
    await systemClock.sleep(10)
  }
  throw new Error(`${id} never came to ${states.join(', ')}: ${JSON.stringify(await stage.deployment(id))}`)
}

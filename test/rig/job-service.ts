import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { ArtifactManifest } from '#core/run/artifact.ts'
import type { JobOrder } from '#core/run/job-order.ts'
import { Redactor } from '#core/redact/redactor.ts'
import { serviceEnvironment } from '#runner/service/environment.ts'
import type { ServedRun } from '#runner/service/environment.ts'
import type { JobService } from '#runner/service/job-service.ts'
import { orderOf } from './runner.ts'
import type { TestJob } from './runner.ts'

/** The service of one job, and the variables that its actions are given. */
export interface ServedJob {
  readonly order: JobOrder
  readonly service: JobService
  readonly url: string
  readonly env: Readonly<Record<string, string>>
}

/** A state home with jobs and their services. Disposing ends the services and removes the files. */
export class ServiceRig implements AsyncDisposable {
  readonly root: string
  /** The clock of the services; a test moves it. */
  now = Date.now()
  readonly #jobs: ServedJob[] = []

  constructor(root: string = mkdtempSync(join(tmpdir(), 'shipway-service-'))) {
    this.root = root
  }

  /** Starts the service of a job, as the first action of it would. */
  async serve(job: Partial<TestJob> & { readonly runId?: string } = {}): Promise<ServedJob> {
    const folder = join(this.root, 'runs', `job${this.#jobs.length + 1}`)
    const base = orderOf({ steps: [], attempt: 1, ...job }, folder, this.root)
    const runId = job.runId ?? 'run_1'
    const artifacts = join(this.root, runId, 'artifacts')
    const order: JobOrder = { ...base, runId, paths: { ...base.paths, artifacts } }
    mkdirSync(order.paths.workspace, { recursive: true })
    mkdirSync(order.paths.temp, { recursive: true })
    const commons: ServedRun['commons'] = { service: undefined }
    const run: ServedRun = { order, redactor: new Redactor(), commons, world: { now: () => this.now } }
    const variables = await serviceEnvironment(run)
    const service = await commons.service
    if (service === undefined) throw new Error('The service did not start')
    const url = variables['ACTIONS_RESULTS_URL'] ?? ''
    const env = {
      ...variables,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: order.paths.workspace,
      RUNNER_TEMP: order.paths.temp,
      GITHUB_RUN_ID: runId,
    }
    const served = { order, service, url, env }
    this.#jobs.push(served)
    return served
  }

  /** Runs a client as an action of this job would run it: with its variables, and its chatter kept away. */
  async as<T>(job: ServedJob, run: () => Promise<T>, env: Readonly<Record<string, string>> = {}): Promise<T> {
    for (const [name, value] of Object.entries({ ...job.env, ...env })) vi.stubEnv(name, value)
    const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const folder = process.cwd()
    process.chdir(job.order.paths.workspace)
    try {
      return await run()
    } finally {
      process.chdir(folder)
      output.mockRestore()
      vi.unstubAllEnvs()
    }
  }

  /** Calls a method of the service as a client would. */
  async call(
    job: ServedJob,
    method: string,
    message: object,
    token: string = job.service.token,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
    const response = await fetch(new URL(`/twirp/github.actions.results.api.v1.${method}`, job.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(message),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  manifest(job: ServedJob, name: string): ArtifactManifest {
    return JSON.parse(readFileSync(join(job.order.paths.artifacts, `${name}.json`), 'utf8')) as ArtifactManifest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { service } of this.#jobs) await service[Symbol.asyncDispose]()
    rmSync(this.root, { recursive: true, force: true })
  }
}

import { isJsonObject } from '#core/json.ts'
import type { JsonObject } from '#core/json.ts'
import { mountArguments } from '#core/container/docker-argv.ts'
import { parseContainer } from '#core/container/spec.ts'
import type { ContainerSpec } from '#core/container/spec.ts'
import type { Mount } from '#core/container/path-map.ts'
import { reportError } from '#core/errors.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { containerFailed, containerInvalid } from '#core/known/container.ts'
import { jobScope } from '../scope.ts'
import type { JobRun } from '../job-run.ts'
import { containerHost } from './container-host.ts'
import { Docker } from './docker.ts'
import { ensureImage } from './image.ts'
import { inspectContainer } from './inspect.ts'
import type { ContainerFacts } from './inspect.ts'
import { gatewayOf } from './job-network.ts'
import { labelArguments } from './labels.ts'
import { noteContainers } from './left-over.ts'
import { engineSocket, jobMounts, nodeInside, workspaceInside } from './mounts.ts'
import { removeJob, removeStale } from './removal.ts'
import { tellDocker } from './told-command.ts'
import { waitUntilHealthy } from './health.ts'

/** A container of the job that runs. */
interface Started {
  readonly name: string
  readonly id: string
  readonly spec: ContainerSpec
}

/** What a job asks for. */
interface Wanted {
  readonly services: readonly { readonly name: string; readonly spec: ContainerSpec }[]
  readonly container: ContainerSpec | undefined
  /** The image is that of the platform: the job says nothing of a container. */
  readonly isPlatform: boolean
}

/**
 * The containers around a job: its services and the one that its steps run in, in a network of their own (actions-semantics
 * 112–118). Everything carries the job's label, and `remove` takes away whatever carries it.
 */
export class JobContainers {
  readonly docker: Docker
  /** Name of the network that everything of the job shares. */
  readonly network: string
  readonly #job: JobRun
  readonly #services: Started[] = []
  #container: Started | undefined

  private constructor(job: JobRun, docker: Docker) {
    this.#job = job
    this.docker = docker
    this.network = `shipway_${job.mark.replace(/^shipway_/, '')}`
  }

  /** Whether the job needs any. */
  static async start(job: JobRun): Promise<void> {
    const wanted = wantedBy(job)
    if (wanted === undefined) return
    const docker = await openDocker(job)
    const containers = new JobContainers(job, docker)
    job.containers = containers
    await containers.#start(wanted)
  }

  async #start(wanted: Wanted): Promise<void> {
    const job = this.#job
    const specs = [
      ...wanted.services.map(({ spec }) => spec),
      ...(wanted.container === undefined ? [] : [wanted.container]),
    ]
    for (const spec of specs) await ensureImage(job, this.docker, spec)
    await this.#must(['network', 'create', ...labelArguments(job), this.network], 'The network of the job was not made')
    if (wanted.container !== undefined) job.serviceAddress = await gatewayOf(job, this.docker, this.network)
    for (const { name, spec } of wanted.services) {
      job.print([`Starting service container "${name}" of ${spec.image}`])
      this.#services.push({ name, spec, id: await this.#run(spec, serviceArguments(name, spec), spec.command) })
    }
    if (wanted.container !== undefined) await this.#startJobContainer(wanted.container, wanted.isPlatform)
    for (const service of this.#services) await this.#awaitService(service)
    job.containerContext = await this.#contexts()
  }

  async #startJobContainer(spec: ContainerSpec, isPlatform: boolean): Promise<void> {
    const job = this.#job
    job.print([`Starting job container of ${spec.image}`])
    const mounts = await jobMounts(job)
    const socket = await engineSocket(job, this.docker)
    const all: readonly Mount[] =
      socket === undefined ? mounts : [...mounts, { outside: socket, inside: '/var/run/docker.sock' }]
    const args = ['--workdir', workspaceInside(job), ...mountArguments(all), '--entrypoint', 'tail']
    const env = { ...spec.env, HOME: '/github/home', CI: 'true', GITHUB_ACTIONS: 'true' }
    const id = await this.#run({ ...spec, env }, args, ['-f', '/dev/null'])
    this.#container = { name: 'job', id, spec }
    const facts = await this.#inspect(id)
    if (facts?.isRunning !== true) await this.#fail(`The job container of ${spec.image} does not run`, id)
    const [bash, user] = await Promise.all([this.#asks(id, ['bash', '-c', 'true']), this.#answer(id, ['id', '-u'])])
    const container = {
      id,
      mounts,
      path: facts?.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      prefersBash: isPlatform && bash,
      isShared: user === undefined || user === '0' || user === String(process.getuid?.()),
      node: nodeInside,
      image: spec.image,
    }
    const { temp, workspace } = job.order.paths
    const nextFileNumber = () => job.nextFileNumber()
    const host = containerHost(this.docker, container, { temp, workspace, mark: job.mark, nextFileNumber })
    for (const { outside, readOnly } of mounts) if (readOnly !== true) host.share(outside, 'folder')
    job.enter(host)
  }

  async #awaitService(service: Started): Promise<void> {
    const job = this.#job
    const facts = await waitUntilHealthy(job, this.docker, { ...service, image: service.spec.image })
    if (facts?.isRunning === true) return
    job.print([`The container of the service "${service.name}" does not run. Its output:`])
    await tellDocker(job, this.docker, ['logs', service.id])
    job.announce(
      'warning',
      `The service "${service.name}" (${service.spec.image}) has ended with exit code ${facts?.exitCode ?? 'unknown'}.`,
    )
  }

  /** `job.container` and `job.services` (33). */
  async #contexts(): Promise<JsonObject> {
    const services: Record<string, JsonObject> = {}
    for (const { name, id } of this.#services) {
      const facts = await this.#inspect(id)
      services[name] = { id, network: this.network, ports: { ...facts?.ports } }
    }
    return {
      ...(this.#container === undefined ? {} : { container: { id: this.#container.id, network: this.network } }),
      services,
    }
  }

  /** Prints what the services said (118). Works after a cancel as well. */
  async tell(): Promise<void> {
    const job = this.#job
    for (const { name, id } of this.#services) {
      job.print([`##[group]Output of the service "${name}"`])
      const { stdout, stderr } = await this.docker.ask(['logs', '--tail', '1000', id])
      job.print([stdout, stderr].filter((text) => text !== ''))
      job.print(['##[endgroup]'])
    }
  }

  async #run(spec: ContainerSpec, args: readonly string[], command: readonly string[]): Promise<string> {
    const job = this.#job
    const file = `${job.order.paths.temp}/_container_env_${job.nextFileNumber()}`
    const variables = this.docker.pass(spec.env, file)
    const publish = spec.ports.flatMap((port) => ['--publish', port])
    const volumes = spec.volumes.flatMap((volume) => ['--volume', volume])
    const own = ['run', '--detach', ...labelArguments(job), '--network', this.network, ...publish, ...volumes]
    try {
      const all = [...own, ...spec.options, ...variables.args, ...args, spec.image, ...command]
      return await this.#must(all, `The container of ${spec.image} did not start`, variables.env)
    } finally {
      variables.done()
    }
  }

  async #must(args: readonly string[], what: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.#job.control.stoppable((stop) => this.docker.ask(args, { stop, env }))
    if (answer.exitCode === 0) return answer.stdout.split('\n').at(-1) ?? ''
    throw containerFailed({ what, output: this.#job.redactor.redact(answer.stderr) })
  }

  #inspect(id: string): Promise<ContainerFacts | undefined> {
    return this.#job.control.stoppable((stop) => inspectContainer(this.docker, id, stop))
  }

  async #fail(what: string, id: string): Promise<never> {
    const { stdout, stderr } = await this.docker.ask(['logs', id])
    throw containerFailed({ what, output: this.#job.redactor.redact(`${stdout}\n${stderr}`) })
  }

  async #asks(id: string, argv: readonly string[]): Promise<boolean> {
    return (await this.docker.ask(['exec', id, ...argv])).exitCode === 0
  }

  async #answer(id: string, argv: readonly string[]): Promise<string | undefined> {
    const { exitCode, stdout } = await this.docker.ask(['exec', id, ...argv])
    return exitCode === 0 ? stdout.trim() : undefined
  }
}

/** Docker for a job; stoppable, because an engine that hangs must not hold it up. */
export async function openDocker(job: JobRun): Promise<Docker> {
  if (job.commons.docker !== undefined) return job.commons.docker
  job.commons.docker = await job.control.stoppable((stop) => Docker.open(job.world.environment, stop))
  job.world.watchdog.guardContainers(job.mark)
  noteContainers(job.order.paths.home)
  await removeStale(job.commons.docker, job.order.paths.home)
  return job.commons.docker
}

/** Removes everything that the job has made in the engine, its services' last words first. */
export async function removeContainers(job: JobRun, docker: Docker): Promise<void> {
  try {
    await job.containers?.tell()
    await removeJob(docker, job.mark)
    job.world.watchdog.guardContainers(undefined)
  } catch (error) {
    job.announce('warning', `Containers of the job may be left: ${reportError(error).message}`)
  }
}

function serviceArguments(name: string, spec: ContainerSpec): readonly string[] {
  const entrypoint = spec.entrypoint === undefined ? [] : ['--entrypoint', spec.entrypoint]
  return ['--network-alias', name, ...entrypoint]
}

/** Undefined for a job that runs on the machine alone. */
function wantedBy(job: JobRun): Wanted | undefined {
  const { order } = job
  const scope = jobScope(job, job.env)
  const { container: written, services: writtenServices } = order.job
  const own = written === undefined ? undefined : parseContainer(evaluateTemplate(written, scope), 'container')
  const platform = order.leg.image === undefined ? undefined : parseContainer(order.leg.image, 'platform')
  const services = writtenServices === undefined ? {} : evaluateTemplate(writtenServices, scope)
  if (services !== null && services !== '' && !isJsonObject(services))
    throw containerInvalid({ place: 'services', problem: 'must be a mapping' })
  const wanted = Object.entries(isJsonObject(services) ? services : {}).flatMap(([name, value]) => {
    const spec = parseContainer(value, `services.${name}`)
    if (spec === undefined) job.print([`The service "${name}" has no image: it is left out.`])
    return spec === undefined ? [] : [{ name, spec }]
  })
  const container = own ?? platform
  if (container === undefined && wanted.length === 0) return undefined
  return { services: wanted, container, isPlatform: own === undefined }
}

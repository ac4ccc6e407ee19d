import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'
import { blueGreenStage } from './blue-green-stage.ts'
import { composeStage, openComposeDriver } from './compose-stage.ts'
import { cuttingShell } from './cutting-shell.ts'
import type { Cut } from './cutting-shell.ts'
import { CuttingService } from './cutting-service.ts'
import type { Part } from './cutting-service.ts'
import { makeOrder, makeRelease, until } from './deploy.ts'
import type { DockerDaemon } from './docker.ts'
import type { NginxServer } from './nginx.ts'
import { processesWith } from './sshd.ts'

export type ComposeKind = 'in place' | 'blue-green'
export type Call = (driver: DeployDriver, order: TargetOrder) => Promise<unknown>

/**
 * Where a call is killed: a script that the release brings, before its effect number `at`; or the call's own script number `own`, from 0, before its
 * command number `at`.
 */
export type CutPlace = { readonly part: Part } | { readonly own: number }

const signal = new AbortController().signal
const silent = (): void => undefined

/** A container as the engine tells of it. */
interface Container {
  readonly id: string
  /** Set that it belongs to; empty in place. */
  readonly set: string
  readonly state: string
  readonly published: string
}

/** A project of compose whose scripts can be cut, one at a time, with everything that works for it on the host. */
export class ComposeCut implements AsyncDisposable {
  readonly kind: ComposeKind
  readonly driver: DeployDriver & AsyncDisposable
  readonly nginx: NginxServer | undefined
  readonly #docker: DockerDaemon
  readonly #stage: Awaited<ReturnType<typeof composeStage>>
  readonly #service: CuttingService
  readonly #plan: { cut: Cut | undefined; skip: number } = { cut: undefined, skip: 0 }

  static async open(docker: DockerDaemon, kind: ComposeKind): Promise<ComposeCut> {
    if (kind === 'in place') return new ComposeCut(docker, kind, await composeStage(docker))
    const stage = await blueGreenStage(docker)
    return new ComposeCut(docker, kind, stage, stage.nginx)
  }

  private constructor(
    docker: DockerDaemon,
    kind: ComposeKind,
    stage: Awaited<ReturnType<typeof composeStage>>,
    nginx?: NginxServer,
  ) {
    this.kind = kind
    this.nginx = nginx
    this.#docker = docker
    this.#stage = stage
    this.#service = new CuttingService(join(stage.home, '../cutting'), 'effects')
    const next = (): Cut | undefined => {
      const { cut } = this.#plan
      if (cut !== undefined && (this.#plan.skip -= 1) < 0) {
        this.#plan.cut = undefined
        return cut
      }
      return undefined
    }
    const environment = { ...process.env, PATH: this.#service.path }
    this.driver = openComposeDriver(() => cuttingShell(openLocalShell(environment), next))
  }

  async order(version: string): Promise<TargetOrder> {
    const { home, target, files, settings } = this.#stage
    const release = await makeRelease(home, version, { 'version.txt': version, ...files })
    return makeOrder(home, target, release, settings)
  }

  /** Whether the call came to where it is killed. What ran on the host besides dies with it. */
  async cut(call: Call, order: TargetOrder, place: CutPlace, at: number): Promise<boolean> {
    const cut: Cut = { at, isHit: false }
    if ('part' in place) this.#service.cutAt(at, place.part)
    else Object.assign(this.#plan, { cut, skip: place.own })
    await call(this.driver, order).catch(() => undefined)
    this.#plan.cut = undefined
    const isHit = 'part' in place ? this.#service.isHit() : cut.isHit
    if (isHit) await this.endWork(order)
    return isHit
  }

  /**
   * Kills everything that works for a call once the engine tells of such an event, in the middle of what compose does; whether it came to that. The
   * engine itself goes on with what it was asked.
   */
  async cutWhen(event: string, call: Call, order: TargetOrder): Promise<boolean> {
    const since = String(Math.floor(Date.now() / 1000))
    const filters = ['type=container', `event=${event}`, `label=com.docker.compose.project=${this.#stage.project}`]
    const args = ['events', '--since', since, ...filters.flatMap((filter) => ['--filter', filter])]
    const events = spawn('docker', args, {
      env: { ...process.env, ...this.#docker.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let isHit = false
    const told = once(events.stdout, 'data').then(async () => {
      isHit = true
      await this.endWork(order, events.pid)
    })
    await call(this.driver, order).catch(() => undefined)
    if (isHit) await told
    events.kill('SIGKILL')
    await once(events, 'exit')
    return isHit
  }

  /** Ends the timer, and whatever else works for a deployment, compose included. */
  endWork({ deploymentId }: TargetOrder, except?: number): Promise<void> {
    return until('nothing works for the deployment', async () => {
      const found = [...(await processesWith(deploymentId)), ...(await processesWith(this.#stage.project))]
      const left = found.filter((pid) => pid !== except)
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has ended meanwhile.
        }
      }
      return left.length === 0
    })
  }

  /** Nobody waits for the time to pass: the record says that it has, and the next look ends what was begun. */
  async endTime(order: TargetOrder): Promise<void> {
    const file = join(this.#stage.path, '.shipway/deployments', order.deploymentId, 'order')
    if (existsSync(file)) {
      const [release, previous, , ...rest] = (await readFile(file, 'utf8')).split(' ')
      await writeFile(file, [release, previous, '1', ...rest].join(' '))
    }
    await this.driver.inspect(order, signal)
  }

  /** What a new client is answered with; undefined where nobody answers. */
  version(): Promise<string | undefined> {
    return this.#stage.served('version.txt').catch(() => undefined)
  }

  /** All of the project, in any state. */
  async containers(): Promise<readonly Container[]> {
    const label = `label=com.docker.compose.project=${this.#stage.project}`
    const format = '{{.ID}}|{{.Label "shipway.start"}}|{{.State}}|{{.Ports}}'
    const text = await this.#docker.docker('ps', '--all', '--no-trunc', '--filter', label, '--format', format)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [id = '', set = '', state = '', published = ''] = line.split('|')
        return { id, set, state, published }
      })
  }

  /** What nginx is told: the set, and where it is. */
  async upstream(): Promise<{ readonly set: string; readonly ports: readonly string[] }> {
    const text = this.nginx === undefined ? '' : await readFile(this.nginx.upstream, 'utf8')
    return {
      set: /^# serving (.+)$/m.exec(text)?.[1] ?? '',
      ports: [...text.matchAll(/server 127\.0\.0\.1:(\d+);/g)].map(([, port = '']) => port),
    }
  }

  /** What does not fit: in words, nothing when one sealed version is served by what alone is there, and the target waits for nothing. */
  async disorder(order: TargetOrder, wanted: string | undefined): Promise<readonly string[]> {
    const { path } = this.#stage
    const state = await this.driver.inspect(order, signal)
    const current = await readFile(join(path, 'current/version.txt'), 'utf8').catch(() => undefined)
    const [version, containers, upstream] = [await this.version(), await this.containers(), await this.upstream()]
    const processes = await processesWith(order.deploymentId)
    const [only] = containers
    const lines = [
      ...(state.kind === 'unknown' ? [`unknown: ${state.why}`] : state.pending === undefined ? [] : ['pending']),
      ...(version === wanted ? [] : [`${version} is served`]),
      ...(current === wanted ? [] : [`current is ${current}`]),
      ...(containers.length === (wanted === undefined ? 0 : 1) ? [] : [`containers ${JSON.stringify(containers)}`]),
      ...(only === undefined || only.state === 'running' ? [] : [`the container is ${only.state}`]),
      ...['lock', 'pending'].filter((name) => readdirSync(join(path, '.shipway')).includes(name)),
      ...readdirSync(join(path, '.shipway/incoming')).map((name) => `incoming/${name}`),
      ...(processes.length === 0 ? [] : [`${processes.length} processes`]),
    ]
    if (this.nginx === undefined) return lines
    const isServed = only === undefined || only.published.includes(`127.0.0.1:${upstream.ports[0]}->`)
    return [
      ...lines,
      ...(upstream.set === (only?.set ?? '') && isServed ? [] : [`nginx is told ${JSON.stringify(upstream)}`]),
      ...readdirSync(this.nginx.folder).filter((name) => name.includes('shipway')),
    ]
  }

  /** A deployment that nothing disturbs, with what `prepare` has done of it already. */
  async deploy(order: TargetOrder): Promise<void> {
    await this.driver.prepare(order, silent, signal)
    await this.driver.switch(order, silent, signal)
    await this.driver.confirm(order, silent, signal)
  }

  /** Somebody does something to containers, by the engine's own word: `kill`, `rm --force` … */
  async act(words: readonly string[], which: (container: Container) => boolean = () => true): Promise<void> {
    const ids = (await this.containers()).filter(which).map(({ id }) => id)
    if (ids.length > 0) await this.#docker.docker(...words, ...ids)
  }

  /** The host goes down and comes up: containers that are to be started again are, nginx reads its files, and no script goes on. */
  async reboot(order: TargetOrder): Promise<void> {
    await this.endWork(order)
    await this.nginx?.stop()
    const ran = (await this.containers()).filter(({ state }) => state === 'running').map(({ id }) => id)
    const hasRun = ({ id }: Container): boolean => ran.includes(id)
    await this.act(['kill'], hasRun)
    await this.act(['start'], hasRun)
    await this.nginx?.start()
  }

  /** Asks all the time as new clients do. What was not answered with a version, told with what was going on then. */
  watch(): { now: string; stop(): Promise<readonly string[]> } {
    const lost: string[] = []
    let isOver = false
    const probe = {
      now: 'the beginning',
      stop: async (): Promise<readonly string[]> => {
        isOver = true
        await work
        return lost
      },
    }
    const work = (async () => {
      while (!isOver) {
        if ((await this.version()) === undefined) lost.push(`${probe.now}: ${new Date().toISOString()}`)
        await delay(100)
      }
    })()
    return probe
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver[Symbol.asyncDispose]()
    await this.#stage[Symbol.asyncDispose]()
  }
}

import { decide } from '#core/deployment/decide.ts'
import { effectsOf } from '#core/deployment/effects.ts'
import { healthQuestion, isAskedPerTarget, unhealthy } from '#core/deployment/health.ts'
import { requiredSecrets, sealedEnvironment } from '#core/deployment/plan.ts'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import type { DeploymentEffect, DeploymentFailure, DeploymentInput, DeploymentState } from '#core/deployment/state.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import { hostOfTarget } from '#core/project/target.ts'
import type { Release } from '#core/release/model.ts'
import { unreachable } from '#core/unreachable.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'
import { endedDeploymentsOf, loadDeployment, updateDeployment } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { appendEvent } from '#store/event.ts'
import { loadRelease } from '#store/release.ts'
import { checkHealth } from './check-health.ts'
import { confirmTarget } from './confirm-target.ts'
import type { DeliveryContext } from './context.ts'
import { failureOf } from './failure-of.ts'
import { passGate } from './gate.ts'
import { inspectTargets } from './inspect-targets.ts'
import { loadPrevious } from './previous-release.ts'
import { ReceiptRecorder } from './receipt-recorder.ts'
import { broughtSecrets } from './secret-versions.ts'
import { overBudget } from './time-budget.ts'
import { TrafficProbe } from './traffic.ts'
import { unlockTargets } from './unlock-targets.ts'
import { writeDecision } from './write-decision.ts'

/** Deployments whose lock a target may still have: it has one, and every other command since has met it. */
const endedTold = 20
/** A state may be read just before its last act has ended: then the next look shows what came of it. */
const idleMax = 3

/**
 * Carries one deployment on, from wherever it stands, until it is done or waits at the gate. May be aborted at any moment and called
 * again, by another process too: the row says what was asked, the targets say what was done. `stop`: its cancellation is in the store, so what
 * only waits has nothing to wait for.
 */
export async function driveDeployment(
  context: DeliveryContext,
  id: string,
  { signal, stop }: { readonly signal: AbortSignal; readonly stop: AbortSignal },
): Promise<'done' | 'waiting'> {
  const found = await load(context, id)
  if (found.state === 'done') return 'done'
  if (found.document.machine.phase === 'gate') {
    const gate = await passGate(context, id, signal)
    if (gate !== 'started') return gate
  }
  const drive = new Drive(context, await prepareDrive(context, id), { signal, stop })
  try {
    if (found.document.machine.phase !== 'gate') await drive.resume()
    await drive.run()
    return 'done'
  } finally {
    await drive.close()
  }
}

/** What stays the same while a deployment is driven. */
interface Setting {
  readonly deployment: StoredDeployment
  readonly release: Release
  readonly config: EnvironmentConfig
  readonly driver: DeployDriver<TargetConfig>
  readonly orders: ReadonlyMap<string, TargetOrder<TargetConfig>>
}

async function load(context: DeliveryContext, id: string): Promise<StoredDeployment> {
  const deployment = await loadDeployment(context.store.query, id)
  if (deployment !== undefined) return deployment
  throw new Error(`Invariant broken: there is no deployment ${id}`)
}

async function prepareDrive(context: DeliveryContext, id: string): Promise<Setting> {
  const deployment = await load(context, id)
  const release = await loadRelease(context.store.query, deployment.release)
  const config = deployment.document.environment
  if (release === undefined || config === undefined)
    throw new Error(`Invariant broken: the deployment ${id} has started without a release or rules`)
  const sealed = sealedEnvironment(release, config)
  const secrets = broughtSecrets(context, deployment, requiredSecrets(release, config))
  const { targets } = deployment.document.machine
  const before = await loadPrevious(context, targets)
  const ended = await endedDeploymentsOf(context.store.query, deployment, endedTold)
  const orders = targets.map(({ name, from }): [string, TargetOrder<TargetConfig>] => {
    const target = config.targets.find((candidate) => candidate.name === name)
    if (target === undefined) throw new Error(`Invariant broken: ${id} has a target ${name} that its rules do not have`)
    return [
      name,
      {
        deploymentId: id,
        application: deployment.application,
        environment: deployment.environment,
        target,
        release,
        blobs: context.blobs.root,
        ...(from === undefined ? { isFresh: true as const } : { expected: from }),
        ...before.get(name),
        ended,
        ...(sealed.restart === undefined ? {} : { restart: sealed.restart }),
        variables: sealed.variables,
        secrets,
        confirmWithinMs: config.confirmWithinMs,
        retain: config.retain,
        ...(sealed.health === undefined ? {} : { health: sealed.health }),
        ...(sealed.blueGreen === undefined ? {} : { blueGreen: sealed.blueGreen }),
        ...(sealed.compose === undefined ? {} : { compose: sealed.compose }),
      },
    ]
  })
  return { deployment, release, config, driver: context.drivers[config.driver], orders: new Map(orders) }
}

class Drive {
  readonly #context: DeliveryContext
  readonly #setting: Setting
  readonly #signal: AbortSignal
  readonly #receipt: ReceiptRecorder
  readonly #inFlight = new Set<Promise<void>>()
  /** Each act happens once in a drive, so one that a state asks for again is under way, or the state was read too early. */
  readonly #begun = new Set<string>()
  /** Writes of this deployment happen one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  #traffic: TrafficProbe | undefined
  #isProved = false
  /** Aborted when the time budget is used up. */
  readonly #overdue = new AbortController()
  readonly #stop: AbortSignal
  readonly #ended = new AbortController()

  constructor(
    context: DeliveryContext,
    setting: Setting,
    { signal, stop }: { readonly signal: AbortSignal; readonly stop: AbortSignal },
  ) {
    this.#context = context
    this.#setting = setting
    this.#signal = signal
    this.#stop = AbortSignal.any([stop, this.#overdue.signal])
    this.#receipt = new ReceiptRecorder(context.clock)
  }

  get #id(): string {
    return this.#setting.deployment.id
  }

  /** Compares the row with what the targets say, as the first act of a process that did not begin this deployment. */
  async resume(): Promise<void> {
    const { deployment, config } = this.#setting
    const states = await inspectTargets(this.#context, deployment, config, this.#signal)
    await this.#feed({ kind: 'resumed', observations: states })
  }

  async run(): Promise<void> {
    void this.#watchBudget().catch(() => undefined)
    for (let idle = 0; ;) {
      this.#signal.throwIfAborted()
      const { machine } = (await load(this.#context, this.#id)).document
      if (machine.phase === 'done') break
      this.#watchTraffic(machine)
      for (const effect of effectsOf(machine)) this.#begin(effect)
      idle = this.#inFlight.size === 0 ? idle + 1 : 0
      if (idle > idleMax)
        throw new Error(`Invariant broken: the deployment ${this.#id} is in ${machine.phase} and nothing is under way`)
      if (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
    }
    // Somebody else wrote the end: a cancellation.
    if (!this.#isProved) await updateDeployment(this.#context.store.query, this.#id, { receipt: await this.#prove() })
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await Promise.allSettled(this.#inFlight)
    await this.#traffic?.stop()
  }

  #begin(effect: DeploymentEffect): void {
    const key = 'target' in effect ? `${effect.kind} ${effect.target}` : effect.kind
    if (this.#begun.has(key)) return
    this.#begun.add(key)
    const work: Promise<void> = this.#perform(effect).finally(() => this.#inFlight.delete(work))
    // Seen by `run`; without this line a second failure at the same time would be an unhandled rejection.
    work.catch(() => undefined)
    this.#inFlight.add(work)
  }

  async #perform(effect: DeploymentEffect): Promise<void> {
    switch (effect.kind) {
      case 'prepare':
        return this.#onTarget(
          effect.target,
          { phase: 'prepare', done: 'prepared', failed: 'prepare-failed' },
          async (order, progress) => {
            const signal = AbortSignal.any([this.#signal, this.#stop])
            this.#receipt.sent(effect.target, await this.#setting.driver.prepare(order, progress, signal))
          },
        )
      case 'switch':
        return this.#onTarget(
          effect.target,
          { phase: 'switch', done: 'switched', failed: 'switch-failed' },
          (order, progress) => this.#setting.driver.switch(order, progress, this.#signal, this.#stop),
        )
      case 'confirm':
        return this.#onTarget(
          effect.target,
          { phase: 'confirm', done: 'confirmed', failed: 'confirm-failed' },
          async (order, progress) => {
            const world = { driver: this.#setting.driver, clock: this.#context.clock }
            this.#receipt.proved(effect.target, await confirmTarget(world, order, progress, this.#signal))
          },
        )
      case 'revert':
        return this.#onTarget(
          effect.target,
          { phase: 'revert', done: 'reverted', failed: 'revert-failed' },
          (order, progress) => this.#setting.driver.revert(order, effect.reason, progress, this.#signal),
        )
      case 'verify':
        return this.#verify()
      case 'gate':
        throw new Error(`Invariant broken: the deployment ${this.#id} went back to its gate`)
      default:
        return unreachable(effect)
    }
  }

  async #onTarget(
    target: string,
    step: {
      readonly phase: 'prepare' | 'switch' | 'confirm' | 'revert'
      readonly done: 'prepared' | 'switched' | 'confirmed' | 'reverted'
      readonly failed: 'prepare-failed' | 'switch-failed' | 'confirm-failed' | 'revert-failed'
    },
    act: (order: TargetOrder<TargetConfig>, progress: (line: string) => void) => Promise<void>,
  ): Promise<void> {
    const order = this.#setting.orders.get(target)
    if (order === undefined) throw new Error(`Invariant broken: no order for ${target}`)
    let input: DeploymentInput
    try {
      await this.#receipt.measure(step.phase, target, () => act(order, (line) => this.#tell(line, target)))
      input = { kind: step.done, target }
    } catch (error) {
      this.#signal.throwIfAborted()
      const isStop = step.phase === 'prepare' && this.#stop.aborted
      const failure = failureOf(error, { target, isSwitch: step.phase === 'switch', isStop })
      const isRefused = step.phase === 'switch' && failure.reason.code === 'DEPLOYMENT_DRIFTED'
      input = isRefused
        ? { kind: 'switch-refused', target, reason: failure.reason }
        : { kind: step.failed, target, failure }
    }
    await this.#feed(input)
  }

  async #verify(): Promise<void> {
    const { release, config } = this.#setting
    const rule = sealedEnvironment(release, config).health
    if (rule === undefined) {
      this.#tell('no health rule: a finished switch counts as healthy')
      await this.#feed({ kind: 'verified' })
      return
    }
    const asked = isAskedPerTarget(rule) ? config.targets : config.targets.slice(0, 1)
    const questions = asked.map((target) =>
      healthQuestion(rule, release, { name: target.name, host: hostOfTarget(target) }),
    )
    for (const { url } of questions) this.#tell(`asking ${url}`)
    const isStopped = async (): Promise<boolean> =>
      (await load(this.#context, this.#id)).document.machine.phase !== 'verify'
    const answerMsMax = config.gates?.time?.healthMs
    const limit = answerMsMax === undefined ? {} : { answerMsMax }
    const outcomes = await this.#receipt.measure('verify', undefined, () =>
      Promise.all(
        questions.map((question) => checkHealth(this.#context, { question, rule, isStopped, ...limit }, this.#signal)),
      ),
    )
    await this.#judge(
      questions.map(({ url }, index) => ({ url, target: asked[index]?.name ?? '' })),
      outcomes,
      rule.withinMs,
    )
  }

  async #judge(
    asked: readonly { readonly url: string; readonly target: string }[],
    outcomes: readonly Awaited<ReturnType<typeof checkHealth>>[],
    withinMs: number,
  ): Promise<void> {
    let failure: DeploymentFailure | undefined
    const isUnwell = (index: number): boolean => outcomes[index]?.kind !== 'healthy'
    const names = asked.filter((_, index) => isUnwell(index)).map(({ target }) => target)
    const unwell = { names, of: asked.length }
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.kind === 'stopped') return
      const url = asked[index]?.url ?? ''
      const { answers, milliseconds, last, answerMs } = outcome
      this.#receipt.health({ url, answers, milliseconds, last, ...(answerMs === undefined ? {} : { answerMs }) })
      if (outcome.kind === 'healthy')
        this.#tell(`${url} is healthy after ${milliseconds} ms (${answers} ${answers === 1 ? 'answer' : 'answers'})`)
      else failure ??= { reason: unhealthy({ url, withinMs, answers, last, unwell }), isReleaseBad: true }
    }
    await this.#feed(failure === undefined ? { kind: 'verified' } : { kind: 'verify-failed', failure })
  }

  /** A deployment that is not verified in its time goes back; what prepares may stop anywhere. */
  async #watchBudget(): Promise<void> {
    const failure = await overBudget(this.#context, this.#setting, AbortSignal.any([this.#signal, this.#ended.signal]))
    if (failure === undefined) return
    await this.#feed({ kind: 'overdue', failure })
    this.#overdue.abort()
  }

  /** Begins before the first switch and ends with the deployment. */
  #watchTraffic(machine: DeploymentState): void {
    if (this.#traffic !== undefined || machine.phase === 'prepare') return
    const { release, config } = this.#setting
    const rule = sealedEnvironment(release, config).health
    const [target] = config.targets
    if (rule === undefined || target === undefined) return
    const { url } = healthQuestion(rule, release, { name: target.name, host: hostOfTarget(target) })
    this.#traffic = new TrafficProbe(
      this.#context,
      url,
      machine.targets.some(({ from }) => from !== undefined),
    )
  }

  async #prove(): Promise<DeploymentReceipt> {
    const traffic = await this.#traffic?.stop()
    this.#traffic = undefined
    this.#isProved = true
    return this.#receipt.receipt({
      ...(traffic === undefined ? {} : { traffic }),
      cannotProve: this.#setting.driver.powers.cannotProve ?? [],
      budgets: this.#setting.config.gates?.time ?? {},
    })
  }

  /**
   * The end and its receipt are one write: whoever hears of the end can read what it proves. Locks are given back before it, since
   * nobody comes back to a deployment that is done. A cancellation that is admitted in between may make an end of what was none: then it is looked at anew.
   */
  #feed(input: DeploymentInput): Promise<void> {
    const after = (machine: DeploymentState): DeploymentState | undefined =>
      machine.phase === 'done' ? undefined : decide(machine, input).state
    const attempt = async (): Promise<boolean> => {
      const next = after((await load(this.#context, this.#id)).document.machine)
      const isLast = next?.phase === 'done'
      if (isLast) await unlockTargets(next, this.#setting, this.#signal)
      const extras = isLast ? { receipt: await this.#prove() } : {}
      return this.#context.store.transaction(async (query) => {
        const now = await loadDeployment(query, this.#id)
        if (!isLast && now !== undefined && after(now.document.machine)?.phase === 'done') return false
        await writeDecision(this.#context, query, this.#id, input, extras)
        return true
      })
    }
    return this.#write(async () => {
      while (!(await attempt())) this.#signal.throwIfAborted()
    })
  }

  /** Progress is for people: it is written in order, and nobody waits for it but what is written after it. */
  #tell(line: string, target?: string): void {
    void this.#write(async () => {
      await this.#context.store.transaction((query) =>
        appendEvent(
          query,
          { table: 'deployment', id: this.#id },
          { type: 'deployment.progress', ...(target === undefined ? {} : { target }), line },
        ),
      )
    }).catch(() => undefined)
  }

  #write(work: () => Promise<void>): Promise<void> {
    const next = this.#queue
      .catch(() => undefined)
      .then(async () => {
        this.#signal.throwIfAborted()
        await work()
        this.#context.notify({ type: 'changed', subject: this.#id })
      })
    this.#queue = next
    return next
  }
}

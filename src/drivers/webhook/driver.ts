import { driverPowers } from '#core/deployment/driver-power.ts'
import { KnownError } from '#core/errors.ts'
import { deploymentDrifted } from '#core/known/target.ts'
import { webhookNothingBefore, webhookTokenMissing } from '#core/known/webhook.ts'
import { Redactor } from '#core/redact/redactor.ts'
import { secretsOfCall } from '#core/webhook/model.ts'
import type { WebhookTarget } from '#core/webhook/model.ts'
import type { Clock } from '#ports/clock.ts'
import type { DeployDriver, InspectOrder, Progress, TargetOrder, TargetState } from '#ports/deploy-driver.ts'
import { webhookClient } from './client.ts'
import { coolify } from './coolify.ts'
import { generic } from './generic.ts'
import type { Platform, PlatformScene, Sight } from './platform.ts'

type Order = TargetOrder<WebhookTarget>
type Look = InspectOrder<WebhookTarget>

/**
 * Tells a platform over HTTP to deploy, and follows it to the end. The platform has the files, keeps no record of our releases and no timer: what
 * runs is what the home believes as long as nothing that can be seen speaks against it, and going back is deploying the release before.
 */
export function webhookDriver({ clock }: { readonly clock: Clock }): DeployDriver<WebhookTarget> {
  return {
    name: 'webhook',
    powers: driverPowers.webhook,
    inspect: (order, signal) => inspect(order, clock, signal),
    prepare: (order, progress, signal) => prepare(order, { clock, progress, signal }),
    switch: (order, progress, signal, stop) =>
      switchTo(order, { clock, progress, signal, ...(stop === undefined ? {} : { stop }) }),
    confirm: async ({ release }, progress) => {
      progress(`confirmed ${release.manifest.version}`)
      return {}
    },
    revert: (order, _reason, progress, signal) => revert(order, { clock, progress, signal }),
  }
}

interface Work {
  readonly clock: Clock
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly stop?: AbortSignal
}

async function inspect(order: Look, clock: Clock, signal: AbortSignal): Promise<TargetState> {
  try {
    const sight = await platformOf(order.target).look(sceneOf(order, clock), signal)
    return stateOf(order, sight)
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return {
      kind: 'unknown',
      why: error.message,
      ...(error.kind === 'unreachable' ? {} : { code: error.code }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }
  }
}

/**
 * What the home believes, unless the platform is set to something else. It may be set to the release that is under way, whose deployment may
 * not have ended: then it counts as not switched, and the switch is done again.
 */
function stateOf({ believed, underWay }: Look, sight: Sight | undefined): TargetState {
  const says = sight?.says === undefined ? {} : { says: sight.says }
  const isAsBelieved =
    sight?.version === undefined ||
    [believed, underWay].some((release) => release !== undefined && sight.isSetTo(release))
  if (isAsBelieved) {
    const current = believed === undefined ? {} : { current: believed.id, version: believed.manifest.version }
    return { kind: 'known', ...current, releases: believed === undefined ? [] : [believed.id], ...says }
  }
  if (believed === undefined) return { kind: 'known', releases: [], ...says }
  return { kind: 'known', current: sight.version, version: sight.version, releases: [], ...says }
}

/** Nothing is brought anywhere; whether the platform knows the application and takes the token is asked before anything is changed. */
async function prepare(order: Order, work: Work): Promise<{ readonly sentBytes: number; readonly sentFiles: number }> {
  const sight = await platformOf(order.target).look(sceneOf(order, work.clock), work.signal)
  if (sight?.says !== undefined) work.progress(`the platform says ${sight.says.text}`)
  return { sentBytes: 0, sentFiles: 0 }
}

async function switchTo(order: Order, work: Work): Promise<void> {
  const { target, release, previous, expected } = order
  const scene = sceneOf(order, work.clock)
  const platform = platformOf(target)
  const sight = previous === undefined ? undefined : await platform.look(scene, work.signal)
  const isExpected =
    sight?.version === undefined || [previous, release].some((one) => one !== undefined && sight.isSetTo(one))
  if (!isExpected)
    throw deploymentDrifted({
      target: target.name,
      path: target.url,
      expected: expected ?? '',
      found: sight.version ?? '',
    })
  work.progress(`telling the platform to deploy ${release.manifest.version}; it goes back only when it is told to`)
  await platform.deploy(scene, release, work)
}

async function revert(order: Order, work: Work): Promise<void> {
  const { target, previous, expected } = order
  if (previous === undefined) throw webhookNothingBefore({ target: target.name, found: expected })
  work.progress(`telling the platform to deploy ${previous.manifest.version} again`)
  await platformOf(target).deploy(sceneOf(order, work.clock), previous, work)
}

function platformOf({ call }: WebhookTarget): Platform {
  return call.kind === 'coolify' ? coolify(call) : generic(call)
}

function sceneOf(order: Look, clock: Clock): PlatformScene {
  const { target, environment, secrets = {} } = order
  const missing = secretsOfCall(target.call).filter((name) => secrets[name] === undefined)
  if (missing.length > 0) throw webhookTokenMissing({ target: target.name, names: missing })
  const redactor = new Redactor()
  for (const secret of Object.values(secrets)) redactor.add(secret)
  const token = target.call.token === undefined ? undefined : secrets[target.call.token]
  const client = webhookClient({ target: target.name, redactor, clock, ...(token === undefined ? {} : { token }) })
  return { target, environment, client, secrets }
}

import { blueGreenObstacles } from '#core/compose/blue-green.ts'
import { isPinned, openPorts, readComposed } from '#core/compose/composed.ts'
import type { Composed } from '#core/compose/composed.ts'
import { composeDefaults } from '#core/compose/model.ts'
import type { ComposeConfig } from '#core/compose/model.ts'
import { driverPowers } from '#core/deployment/driver-power.ts'
import { renderDuration } from '#core/project/duration.ts'
import * as known from '#core/known/compose.ts'
import * as knownNginx from '#core/known/nginx.ts'
import type { DeployDriver, Progress, TargetOrder, TargetProof } from '#ports/deploy-driver.ts'
import type { Answer, FolderOrder, ReleaseFolders } from '#ports/release-folders.ts'
import { lookScript, pullScript, tidyScript } from './script/prepare.ts'
import { colourDownScript, colourUpScript, retireScript } from './script/colour.ts'
import { downScript, upScript } from './script/up.ts'
import { examineServices } from './examine.ts'
import { failureOn } from './failure.ts'
import { renderEnvironment, renderSettings } from './settings.ts'

/** Time that `prepare` gives to reading the compose files and to anything else that moves no images. */
const lookMs = 60_000
const tidyMs = 120_000

/**
 * Compose projects on this machine or over ssh: releases lie in folders as the driver `directory` lays them, and starting one means
 * `compose up` with its images by digest. `folders` closes the connections; it is its owner's to close.
 */
export function composeDriver(folders: ReleaseFolders): DeployDriver {
  return {
    name: 'compose',
    powers: driverPowers.compose,
    inspect: (order, signal) => folders.inspect(order, signal),
    compareFiles: (order, signal) => folders.compareFiles(order, signal),
    examine: async (order, signal) => {
      const [place, services] = await Promise.all([
        folders.examine({ target: order.target }, signal),
        examineServices(folders, order, signal),
      ])
      return [...place, ...services]
    },
    prepare: async (order, progress, signal) => {
      const whole = withServices(order)
      const sent = await folders.prepare(whole, progress, signal)
      await prepareImages(folders, whole, progress, signal)
      return sent
    },
    switch: (order, progress, signal, stop) => {
      const whole = withServices(order)
      // Whoever watches should know how long the host waits at most, also where compose says nothing meanwhile.
      const { healthWithinMs } = whole.compose
      progress(`starting the services; they have ${renderDuration(healthWithinMs)} to become healthy`)
      return folders.switch(whole, progress, signal, stop)
    },
    confirm: async (order, progress, signal) => {
      const whole = withServices(order)
      await folders.confirm(whole, progress, signal)
      const proof = order.compose?.blueGreen === undefined ? {} : await retire(folders, whole, progress, signal)
      await removeImages(folders, whole, progress, signal)
      return proof
    },
    revert: (order, reason, progress, signal) => folders.revert(withServices(order), reason, progress, signal),
  }
}

type ServiceOrder = FolderOrder &
  Required<Pick<FolderOrder, 'service' | 'compose'>> & {
    /** Of the registry. */
    readonly password?: string
  }

const noConfig: ComposeConfig = { files: [], profiles: [], ...composeDefaults }

/** The password of the registry is for pulling only: the services do not get it. */
function withServices(order: TargetOrder): ServiceOrder {
  const compose = order.compose ?? noConfig
  const { [compose.registry?.password ?? '']: password, ...secrets } = order.secrets
  const own = { ...order, compose, secrets }
  const settings = renderSettings(own, compose)
  const scripts =
    compose.blueGreen === undefined
      ? { up: upScript, down: downScript }
      : { up: colourUpScript, down: colourDownScript, front: 'nginx\n' }
  const service = { ...scripts, settings, env: renderEnvironment(own) }
  return { ...own, service, failure: failureOn(own), ...(password === undefined ? {} : { password }) }
}

async function prepareImages(
  folders: ReleaseFolders,
  order: ServiceOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { settings, env } = order.service
  const args = [order.deploymentId, order.release.id.slice(0, 16)]
  const look = { script: lookScript, args, files: { settings, env }, deadlineMs: lookMs, failure: failureOn(order) }
  const seen = await folders.call(order, look, progress, signal)
  const dialect = seen.find(({ word }) => word === 'dialect')?.rest ?? ''
  progress(`the host has ${dialect}, engine ${seen.find(({ word }) => word === 'engine')?.rest ?? '?'}`)
  const composed = composedOf(order, seen)
  checkPorts(order, composed)
  checkColours(order, composed)
  const images = imagesOf(order, composed)
  for (const [service, image] of images)
    if (!isPinned(image))
      progress(`${service}: ${image} is a tag, taken as it is now; only a digest is the same everywhere`)
  const pull = {
    script: pullScript,
    args: [...args, String(Math.ceil(order.compose.pullWithinMs / 1000) + 60), composed.version ?? '-'],
    files: {
      settings,
      env,
      images: lines(images.map((pair) => pair.join(' '))),
      unchecked: lines(unchecked(order, composed)),
      ...loginOf(order),
    },
    deadlineMs: order.compose.pullWithinMs,
    failure: failureOn(order),
  }
  const pulled = await folders.call(order, pull, progress, signal)
  for (const { word, rest } of pulled) {
    if (word === 'image') progress(`image of ${rest}`)
    if (word === 'kept') progress(`${rest} cannot be pulled; the one on the host is taken`)
  }
}

function composedOf(order: ServiceOrder, answers: readonly Answer[]): Composed {
  const text = answers
    .filter(({ word }) => word === 'part' || word === 'line')
    .map(({ word, rest }) => (word === 'part' ? rest : `${rest}\n`))
    .join('')
  const composed = readComposed(text)
  if (typeof composed !== 'string') return composed
  throw known.composeInvalid({ target: order.target.name, problem: composed, details: [] })
}

function checkPorts({ compose, environment }: ServiceOrder, composed: Composed): void {
  if (compose.expose === undefined) return
  const ports = openPorts(composed, compose.expose)
  if (ports.length > 0) throw known.portsExposed({ environment, ports, allowed: compose.expose })
}

function checkColours({ compose, environment }: ServiceOrder, composed: Composed): void {
  if (compose.blueGreen === undefined) return
  const obstacles = blueGreenObstacles(compose.blueGreen, composed)
  if (obstacles.length > 0) throw knownNginx.serviceSingle({ environment, obstacles })
}

/** Services that are switched and whose health only their image can tell. */
function unchecked({ compose }: ServiceOrder, composed: Composed): readonly string[] {
  const names = compose.blueGreen?.services.map(({ name }) => name) ?? []
  return composed.services
    .filter(({ name, hasHealthCheck }) => names.includes(name) && !hasHealthCheck)
    .map(({ name }) => name)
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}

/** Ends what is no longer served, and tells how the switch went. */
async function retire(
  folders: ReleaseFolders,
  order: ServiceOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<TargetProof> {
  const deadlineMs = tidyMs + (order.compose.blueGreen?.drainWithinMs ?? 0)
  const call = { script: retireScript, args: [order.deploymentId], deadlineMs }
  const said = await folders.call(order, call, progress, signal)
  const ended = said.find(({ word }) => word === 'ended')
  if (ended !== undefined) progress(`ended ${ended.rest} containers of the release before`)
  const drained = said.find(({ word }) => word === 'drained')
  if (drained === undefined) return {}
  const [workers = 0, milliseconds = 0, left = 0] = drained.rest.split(' ').map(Number)
  return { drained: { workers, milliseconds, left } }
}

/** Service and image, as the release says, else as the compose files do. */
function imagesOf(order: ServiceOrder, composed: Composed): readonly (readonly [string, string])[] {
  const sealed = order.release.manifest.images ?? {}
  const unbuilt = composed.services.filter(({ name, image }) => (sealed[name] ?? image) === undefined)
  if (unbuilt.length > 0) throw known.serviceUnbuilt({ services: unbuilt.map(({ name }) => name) })
  const images = composed.services.map(({ name, image }) => [name, sealed[name] ?? image ?? ''] as const)
  const odd = images.find((pair) => !pair.every((text) => /^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(text)))
  if (odd === undefined) return images
  const problem = `${JSON.stringify(odd[1])} of the service ${JSON.stringify(odd[0])} is no name of an image`
  throw known.composeInvalid({ target: order.target.name, problem, details: [] })
}

function loginOf(order: ServiceOrder): Readonly<Record<string, string>> {
  const { registry } = order.compose
  if (registry === undefined) return {}
  return { server: registry.server, username: registry.username, password: order.password ?? '' }
}

async function removeImages(
  folders: ReleaseFolders,
  order: ServiceOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const call = { script: tidyScript, args: [order.deploymentId], deadlineMs: tidyMs }
  const removed = (await folders.call(order, call, progress, signal)).filter(({ word }) => word === 'removed')
  if (removed.length > 0) progress(`removed ${removed.length} old images`)
}

import { ofTarget } from '#core/compose/model.ts'
import { renderDotenv } from '#core/deployment/dotenv.ts'
import type { KnownError } from '#core/errors.ts'
import { blueGreenLeft } from '#core/known/nginx.ts'
import { colourGroup } from '#core/nginx/colour.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import { nginxFailure } from '#core/nginx/failure.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { Progress, TargetFinding, TargetOrder, TargetProof } from '#ports/deploy-driver.ts'
import type { FolderOrder, ReleaseFolders, TargetCall } from '#ports/release-folders.ts'
import { colourFindings } from './examine-colours.ts'
import { colourDownScript, colourLookScript, colourRetireScript, colourUpScript } from './script/colour.ts'
import { colourExamineScript } from './script/examine-colours.ts'

/** Time to look at nginx, and to stop a colour. */
const lookMs = 60_000
const stopMs = 120_000

/**
 * Releases in folders whose processes run in two colours behind the host's nginx, where an order asks for it: `blueGreen`. The rest of `folders`
 * is as it was.
 */
export function withColours<Folders extends ReleaseFolders>(folders: Folders): Folders {
  return {
    ...folders,
    examine: async ({ target, blueGreen }, signal) => {
      if (blueGreen === undefined) return folders.examine({ target }, signal)
      const [place, colours] = await Promise.all([
        folders.examine({ target }, signal),
        examineColours(folders, { target, blueGreen }, signal),
      ])
      return [...place, ...colours]
    },
    prepare: async (order, progress, signal) => {
      const sent = await folders.prepare(ordered(order), progress, signal)
      if (order.blueGreen !== undefined) await look(folders, order, order.blueGreen, progress, signal)
      return sent
    },
    switch: (order, progress, signal, stop) => folders.switch(ordered(order), progress, signal, stop),
    confirm: async (order, progress, signal) => {
      const proof = await folders.confirm(ordered(order), progress, signal)
      return order.blueGreen === undefined ? proof : retire(folders, order, progress, signal)
    },
    revert: (order, reason, progress, signal) => folders.revert(ordered(order), reason, progress, signal),
  }
}

/** Nothing would tell nginx of a release that is not switched. */
export function coloursLeft({ name, path }: HostTarget): KnownError {
  return blueGreenLeft({
    target: name,
    what: 'processes (blue or green)',
    key: 'blueGreen',
    end: `stop both colours, and remove ${path}/.shipway/colours`,
  })
}

function ordered(order: FolderOrder): FolderOrder {
  if (order.blueGreen === undefined) return order
  const settings = renderSettings(order, order.blueGreen)
  const service = { up: colourUpScript, down: colourDownScript, settings, env: '', front: 'nginx\n' }
  return { ...order, service, failure: failureOn(order) }
}

/** As `script/colour.ts` and `nginxLibrary` read it. */
function renderSettings(order: TargetOrder, config: ColourConfig): string {
  const [blue] = config.ports
  const group = colourGroup(config, order)
  return renderDotenv({
    group,
    colours: `processes ${blue} ${group}`,
    ...portSettings(config),
    start_command: config.start,
    stop_command: config.stop,
    health: config.health,
    within: String(Math.ceil(config.healthWithinMs / 1000)),
    ...nginxSettings(config, order.target),
    standby: config.standby ? 'yes' : 'no',
  })
}

function portSettings({ ports: [blue, green] }: ColourConfig): Readonly<Record<string, string>> {
  return { port_blue: String(blue), port_green: String(green) }
}

/** As `nginxLibrary` reads it. */
function nginxSettings(config: ColourConfig, target: HostTarget): Readonly<Record<string, string>> {
  return {
    upstream: ofTarget(config.upstream, target),
    nginx: config.nginx
      .map((word) => ofTarget(word, target))
      .toReversed()
      .join('\n'),
    drain: String(Math.ceil(config.drainWithinMs / 1000)),
  }
}

function failureOn({ target, blueGreen }: TargetOrder): NonNullable<TargetCall['failure']> {
  const file = ofTarget(blueGreen?.upstream ?? '', target)
  return (word, rest, answers) => {
    const details = answers.filter((answer) => answer.word === 'log').map((answer) => answer.rest)
    return nginxFailure(word, rest, { target: target.name, file, details })
  }
}

/** The same question without a release, for people. */
async function examineColours(
  folders: ReleaseFolders,
  { target, blueGreen }: { readonly target: HostTarget; readonly blueGreen: ColourConfig },
  signal: AbortSignal,
): Promise<readonly TargetFinding[]> {
  const files = { settings: renderDotenv({ ...nginxSettings(blueGreen, target), ...portSettings(blueGreen) }) }
  const call = { script: colourExamineScript, args: [], files, deadlineMs: lookMs }
  return colourFindings({ target, blueGreen }, await folders.ask(target, call, signal))
}

/** Is everything there that a switch needs? */
async function look(
  folders: ReleaseFolders,
  order: FolderOrder,
  config: ColourConfig,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const files = { settings: renderSettings(order, config) }
  const call = { script: colourLookScript, args: [order.deploymentId], files, deadlineMs: lookMs }
  await folders.call(ordered(order), { ...call, failure: failureOn(order) }, progress, signal)
}

/** Stops what is no longer served, and tells how the switch went. */
async function retire(
  folders: ReleaseFolders,
  order: FolderOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<TargetProof> {
  const call = { script: colourRetireScript, args: [order.deploymentId], deadlineMs: stopMs }
  const said = await folders.call(ordered(order), { ...call, failure: failureOn(order) }, progress, signal)
  const ended = said.find(({ word }) => word === 'ended')
  if (ended !== undefined) progress(`stopped ${ended.rest}, which is no longer served`)
  const drained = said.find(({ word }) => word === 'drained')
  if (drained === undefined) return {}
  const [workers = 0, milliseconds = 0, left = 0] = drained.rest.split(' ').map(Number)
  return { drained: { workers, milliseconds, left } }
}

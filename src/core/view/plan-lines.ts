import { driverPowers } from '#core/deployment/driver-power.ts'
import type { DeploymentPlan, PathList, ReleaseDifference, VariableChange } from '#core/deployment/plan.ts'
import { renderDuration } from './duration.ts'
import { shortDigest, shortVersion } from './name.ts'
import { renderSize } from './size.ts'

/** Paths of each kind that a screen shows; the counts are complete. */
const pathsShown = 5

/**
 * A plan for people: what each target runs and would get, and what of the release's own settings changes. `unknown`: targets that did
 * not say what they run, and why.
 */
export function planLines(plan: DeploymentPlan, unknown: ReadonlyMap<string, string> = new Map()): readonly string[] {
  return [
    `would run  ${shortVersion(plan.version)} (${shortDigest(plan.release)})`,
    ...plan.differences.flatMap((difference) => differenceLines(plan, difference, unknown)),
    ...[...unknown].map(([name, why]) => `target     ${name}: unknown (${why})`),
    ...(plan.restart === undefined ? [] : [`restart    ${plan.restart}${changed(plan, 'isRestartChanged')}`]),
    ...(plan.health === undefined
      ? []
      : [
          `health     ${plan.health.url} within ${renderDuration(plan.health.withinMs)}${changed(plan, 'isHealthChanged')}`,
        ]),
    ...(plan.secrets.length === 0 ? [] : [`secrets    ${plan.secrets.join(', ')}`]),
    ...backLines(plan),
  ]
}

/** How it would go back, and what its receipt could not prove. */
function backLines({ driver = 'directory', confirmWithinMs }: DeploymentPlan): readonly string[] {
  const { hasTimer, cannotProve } = driverPowers[driver]
  return [
    hasTimer
      ? `back       by itself, when nobody confirms within ${renderDuration(confirmWithinMs)}`
      : 'back       by deploying the release before; the target has no timer of its own',
    ...cannotProve.map((text) => `receipt    cannot prove ${text}`),
  ]
}

/** One paragraph per release that runs now: targets that run the same get the same. */
function differenceLines(
  plan: DeploymentPlan,
  difference: ReleaseDifference,
  unknown: ReadonlyMap<string, string>,
): readonly string[] {
  const names = plan.targets
    .filter(({ name, from }) => from === difference.from && !unknown.has(name))
    .map(({ name }) => name)
  if (names.length === 0) return []
  const { added, changed: altered, removed, newBytes, variables } = difference
  const isSame = difference.from === plan.release
  const total = added.count + altered.count + removed.count
  return [
    `target     ${names.join(', ')}: ${running(difference)}${isSame ? ', the same release: it would be put there again' : ''}`,
    ...((isSame && total === 0) || !driverPowers[plan.driver ?? 'directory'].bringsFiles
      ? []
      : [
          `  files    ${added.count} added, ${altered.count} changed, ${removed.count} removed; ${renderSize(newBytes)} to send at most`,
        ]),
    ...[['+', added] as const, ['~', altered] as const, ['-', removed] as const].flatMap(([sign, paths]) =>
      pathLines(sign, paths),
    ),
    ...variables.map((change) => changeLine('variable', change)),
    ...(difference.images ?? []).map(({ name, from, to }) =>
      changeLine('image', { name, ...shortImage('from', from), ...shortImage('to', to) }),
    ),
  ]
}

function changeLine(what: string, { name, from, to }: VariableChange): string {
  if (to === undefined) return `  -        ${what} ${name} (was ${from ?? ''})`
  if (from === undefined) return `  +        ${what} ${name}=${to}`
  return `  ~        ${what} ${name}: ${from} → ${to}`
}

/** Twelve digits of a digest tell one image from another. */
function shortImage<Key extends string>(key: Key, image: string | undefined): { [K in Key]?: string } {
  return (image === undefined ? {} : { [key]: image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1') }) as {
    [K in Key]?: string
  }
}

function running({ from, fromVersion }: ReleaseDifference): string {
  if (from === undefined) return 'runs nothing yet'
  return fromVersion === undefined
    ? `runs ${shortDigest(from)}, which this home does not know`
    : `runs ${shortVersion(fromVersion)} (${shortDigest(from)})`
}

function pathLines(sign: string, { count, first }: PathList): readonly string[] {
  const shown = first.slice(0, pathsShown)
  const more = count - shown.length
  return [
    ...shown.map((path) => `  ${sign}        ${path}`),
    ...(more > 0 ? [`  ${sign}        and ${more} more`] : []),
  ]
}

function changed(plan: DeploymentPlan, what: 'isRestartChanged' | 'isHealthChanged'): string {
  return plan.differences.some((difference) => difference[what]) ? ' (another one than now)' : ''
}

import { driverPowers } from '#core/deployment/driver-power.ts'
import type { DeploymentPlan, HandChanges } from '#core/deployment/plan.ts'
import type { FileList, PlannedFile, ReleaseDifference, ValueChange } from '#core/deployment/plan-difference.ts'
import { colourAt, nextColour } from '#core/nginx/colour.ts'
import { renderDuration } from './duration.ts'
import { shortDigest, shortVersion } from './name.ts'
import { renderSize } from './size.ts'

/** Paths of each kind that a screen shows by itself; the counts are complete. */
const pathsShownMax = 5

/**
 * A plan for people: what each target runs and would get, and what of the release's own settings changes. `unknown`: targets that did
 * not say what they run, and why. Values of variables are told where they change; those of secrets are not in a plan.
 */
export function planLines(
  plan: DeploymentPlan,
  { unknown = new Map(), serving = new Map(), pathsShown = pathsShownMax }: PlanView = {},
): readonly string[] {
  const variables = Object.keys(plan.variables)
  return [
    `would run  ${shortVersion(plan.version)} (${shortDigest(plan.release)})`,
    ...plan.differences.flatMap((difference) => differenceLines(plan, difference, { unknown, serving, pathsShown })),
    ...[...unknown].map(([name, why]) => `target     ${name}: unknown (${why})`),
    ...migrationLines(plan),
    ...startLines(plan),
    ...blueGreenLines(plan, { unknown, serving }),
    ...(plan.health === undefined
      ? []
      : [
          `health     ${plan.health.url} within ${renderDuration(plan.health.withinMs)}${changed(plan, 'isHealthChanged')}`,
        ]),
    ...(variables.length === 0 ? [] : [`variables  ${variables.toSorted().join(', ')}`]),
    ...(plan.secrets.length === 0 ? [] : [`secrets    ${plan.secrets.join(', ')}`]),
    ...driverPowers[plan.driver ?? 'directory'].cannotSee.map((text) => `cannot see ${text}`),
    ...backLines(plan),
  ]
}

export interface PlanView {
  /** Targets that did not say what they run, and why. */
  readonly unknown?: ReadonlyMap<string, string>
  /** What the nginx of each target serves now, where a driver switches it. */
  readonly serving?: ReadonlyMap<string, string>
  /** Paths of each kind that are named. */
  readonly pathsShown?: number
}

/** What happens to data. */
function migrationLines({ migration, crosses = [], isBackedUp }: DeploymentPlan): readonly string[] {
  return [
    ...(crosses.length === 0
      ? []
      : [`migration  goes back across the contract migration of ${crosses.map(shortVersion).join(', ')}`]),
    ...(migration === undefined
      ? []
      : [
          migration === 'expand'
            ? 'migration  expand: adds to the data, the release before works on'
            : 'migration  contract: takes away from the data, the release before can no longer work',
        ]),
    ...(isBackedUp === true ? ['backup     the database is backed up before anything is touched'] : []),
  ]
}

/** What is stopped and started. */
function startLines(plan: DeploymentPlan): readonly string[] {
  const { driver = 'directory', restart, services } = plan
  return [
    ...(driver === 'compose'
      ? [
          `services   ${services === undefined ? 'all of its compose files' : services.join(', ')}: started anew${changed(plan, 'isComposeChanged')}`,
        ]
      : []),
    ...(driver === 'webhook' ? ['start      the platform stops and starts it by itself'] : []),
    ...(driver === 'directory' && restart === undefined && plan.blueGreen === undefined
      ? ['restart    no command: files are switched, nothing is stopped or started']
      : []),
    ...(restart === undefined ? [] : [`restart    ${restart}${changed(plan, 'isRestartChanged')}`]),
  ]
}

/** What nginx serves on each target, what would take its place there, and which of the settings of that are others now. */
function blueGreenLines(
  { blueGreen, compose, differences, targets }: DeploymentPlan,
  { unknown, serving }: Pick<Required<PlanView>, 'unknown' | 'serving'>,
): readonly string[] {
  const sets = compose?.blueGreen
  const changes = [...new Set(differences.flatMap(({ blueGreenChanges }) => blueGreenChanges ?? []))]
  const changed = changes.length === 0 ? [] : [`blue-green other settings than now: ${changes.join(', ')}`]
  const [settings, next] =
    blueGreen !== undefined
      ? [blueGreen, (served?: string) => colourAt(blueGreen, nextColour(served))]
      : sets !== undefined
        ? [
            undefined,
            () =>
              `a new set of containers of ${sets.services.map(({ name }) => name).join(', ')}${sets.standby ? ', or the one that stands by' : ''}`,
          ]
        : []
  if (next === undefined) return changed
  return [
    ...targets
      .filter(({ name }) => !unknown.has(name))
      .map(({ name }) => {
        const served = serving.get(name)
        const now =
          served === undefined
            ? 'nothing yet'
            : settings === undefined
              ? `the set ${served}`
              : colourAt(settings, served)
        return `blue-green ${name}: nginx serves ${now}; this release would take ${next(served)}`
      }),
    ...changed,
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
  { unknown, pathsShown }: Required<PlanView>,
): readonly string[] {
  const names = plan.targets
    .filter(({ name, from }) => from === difference.from && !unknown.has(name))
    .map(({ name }) => name)
  if (names.length === 0) return []
  const { added, changed: altered, removed, newBytes, variables, secrets, stoppedServices = [] } = difference
  const isSame = difference.from === plan.release
  const total = added.count + altered.count + removed.count
  return [
    `target     ${names.join(', ')}: ${running(difference)}${isSame ? ', the same release: it would be put there again' : ''}`,
    ...((isSame && total === 0) || !driverPowers[plan.driver ?? 'directory'].bringsFiles
      ? []
      : [
          `  files    ${added.count} added, ${altered.count} changed, ${removed.count} removed; ${renderSize(newBytes)} to send at most`,
        ]),
    ...[['+', added] as const, ['~', altered] as const, ['-', removed] as const].flatMap(([sign, files]) =>
      fileLines(sign, files, pathsShown),
    ),
    ...plan.targets
      .filter(({ name }) => names.includes(name))
      .flatMap(({ name, byHand }) => (byHand === undefined ? [] : handLines(name, byHand, pathsShown))),
    ...variables.map((change) => changeLine('variable', change)),
    ...(secrets?.added ?? []).map((name) => `  +        secret ${name}`),
    ...(secrets?.removed ?? []).map((name) => `  -        secret ${name}`),
    ...stoppedServices.map((name) => `  -        service ${name}: stopped`),
    ...(difference.images ?? []).map(({ name, from, to }) =>
      changeLine('image', { name, ...shortImage('from', from), ...shortImage('to', to) }),
    ),
  ]
}

function changeLine(what: string, { name, from, to }: ValueChange): string {
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

function fileLines(sign: string, { count, first }: FileList, pathsShown: number): readonly string[] {
  const shown = first.slice(0, pathsShown)
  return [...shown.map((file) => `  ${sign}        ${fileText(file)}`), ...moreLines(sign, count - shown.length)]
}

function fileText({ path, size, sizeBefore }: PlannedFile): string {
  const before = sizeBefore === undefined || sizeBefore === size ? '' : `${renderSize(sizeBefore)} → `
  return `${path} (${before}${renderSize(size)})`
}

/** What somebody did there is gone with the switch, and nobody else would tell. */
function handLines(target: string, { count, first }: HandChanges, pathsShown: number): readonly string[] {
  const shown = first.slice(0, pathsShown)
  return [
    ...shown.map(({ kind, path }) => `  !        ${path} was ${kind} by hand on ${target}`),
    ...moreLines('!', count - shown.length),
  ]
}

function moreLines(sign: string, more: number): readonly string[] {
  return more > 0 ? [`  ${sign}        and ${more} more`] : []
}

function changed(plan: DeploymentPlan, what: 'isRestartChanged' | 'isHealthChanged' | 'isComposeChanged'): string {
  return plan.differences.some((difference) => difference[what] === true) ? ' (another one than now)' : ''
}

import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import type { DeploymentPlan, HandChanges, TargetPlan } from './plan.ts'

/** Files changed by hand that a sentence names. */
const filesShown = 3

/**
 * What makes a plan another one than the plan before, as clauses for people: `web-1 runs v1.9.0 and not v1.8.0`. Empty for the same plan. The most
 * telling difference comes first.
 */
export function planDrift(before: DeploymentPlan, now: DeploymentPlan): readonly string[] {
  return [...planSubjectDrift(before, now), ...targetsDrift(before, now), ...settingsDrift(before, now)]
}

/** What a plan is about. */
export type PlanSubject = Pick<DeploymentPlan, 'mode' | 'application' | 'environment' | 'release' | 'version'>

/** What the plan is for, where that is not what is asked. */
export function planSubjectDrift(before: PlanSubject, now: PlanSubject): readonly string[] {
  const what = (plan: PlanSubject): string => `${plan.mode} ${shortVersion(plan.version)}`
  const where = (plan: PlanSubject): string => `${plan.application} on ${plan.environment}`
  return [
    ...(where(before) === where(now) ? [] : [`it is for ${where(before)} and not for ${where(now)}`]),
    ...(before.release === now.release && before.mode === now.mode
      ? []
      : [
          `it is to ${what(before)} (${shortDigest(before.release)}) and not to ${what(now)} (${shortDigest(now.release)})`,
        ]),
  ]
}

function targetsDrift(before: DeploymentPlan, now: DeploymentPlan): readonly string[] {
  const old = new Map(before.targets.map((target) => [target.name, target]))
  const names = new Set(now.targets.map(({ name }) => name))
  return [
    ...now.targets.flatMap((target) => {
      const was = old.get(target.name)
      return was === undefined ? [`${target.name} is a new target`] : targetDrift(before, now, { was, target })
    }),
    ...before.targets.filter(({ name }) => !names.has(name)).map(({ name }) => `${name} is no longer a target`),
  ]
}

function targetDrift(
  before: DeploymentPlan,
  now: DeploymentPlan,
  { was, target }: { readonly was: TargetPlan; readonly target: TargetPlan },
): readonly string[] {
  const { name } = target
  return [
    ...(isSame(was.target, target.target) ? [] : [`${name} is at another address`]),
    ...(was.from === target.from ? [] : [`${name} runs ${running(now, target)} and not ${running(before, was)}`]),
    ...(isSame(was.byHand, target.byHand) ? [] : [handDrift(name, target.byHand)]),
  ]
}

function running({ differences }: DeploymentPlan, { from }: TargetPlan): string {
  if (from === undefined) return 'nothing'
  const version = differences.find((difference) => difference.from === from)?.fromVersion
  return version === undefined ? shortDigest(from) : shortVersion(version)
}

function handDrift(name: string, changes: HandChanges | undefined): string {
  if (changes === undefined) return `the files on ${name} are as they were deployed again`
  const shown = changes.first.slice(0, filesShown).map(({ kind, path }) => `${path} ${kind}`)
  const more = changes.count > shown.length ? ` and ${changes.count - shown.length} more` : ''
  return `somebody changed files on ${name}: ${shown.join(', ')}${more}`
}

/** Parts of a plan that come from the rules in force, or from the release where it was not sealed for the environment. */
const settings = {
  driver: 'the driver',
  restart: '"restart"',
  health: '"health"',
  compose: '"compose"',
  blueGreen: '"blueGreen"',
  services: 'the services of its compose files',
  variables: '"variables"',
  secrets: '"secrets"',
  confirmWithinMs: '"confirmWithin"',
  migration: 'the migration',
  crosses: 'the contract migrations that it goes back across',
  isBackedUp: 'whether the database is backed up before',
} as const satisfies Partial<Record<keyof DeploymentPlan, string>>

function settingsDrift(before: DeploymentPlan, now: DeploymentPlan): readonly string[] {
  const changed = Object.entries(settings)
    .filter(([name]) => !isSame(before[name as keyof typeof settings], now[name as keyof typeof settings]))
    .map(([, text]) => text)
  return changed.length === 0 ? [] : [`${changed.join(', ')} ${changed.length === 1 ? 'has' : 'have'} changed`]
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a as Json) === canonicalJson(b as Json))
}

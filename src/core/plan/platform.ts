import type { Reason } from '#core/reason.ts'
import type { JobLeg } from '#core/run/job-order.ts'

/** Where a job runs: on the machine of its runner, or in a container of an image. */
export type Platform = { readonly kind: 'host' } | { readonly kind: 'docker'; readonly image: string }

/** What the runner's machine is, in Node's names. */
export interface Machine {
  /** `linux`, `darwin` … */
  readonly os: string
  /** `x64`, `arm64` … */
  readonly arch: string
}

/** What decides where a label of `runs-on` leads. */
export interface PlatformRules {
  /** Label → `host` or `docker:IMAGE`: `platforms` of shipway.yml below `--platform`. A label may hold `*`. */
  readonly platforms: Readonly<Record<string, string>>
  readonly machine: Machine
}

/** The rules of a project with those of a call above them, in the order in which they are asked: a label before patterns. */
export function mergePlatforms(
  project: Readonly<Record<string, string>>,
  call: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const inOrder = (rules: Readonly<Record<string, string>>) =>
    Object.entries(rules).toSorted(([a], [b]) => Number(a.includes('*')) - Number(b.includes('*')))
  const first = new Map(inOrder(call))
  for (const [label, where] of inOrder(project)) if (!first.has(label)) first.set(label, where)
  return Object.fromEntries(first)
}

/** `host` or `docker:IMAGE`; undefined for anything else. */
export function parsePlatform(text: string): Platform | undefined {
  if (text === 'host') return { kind: 'host' }
  const image = /^docker:(\S+)$/.exec(text)?.[1]
  return image === undefined ? undefined : { kind: 'docker', image }
}

/** GitHub's labels for what this machine is. Any other label asks for a machine that nobody has named here. */
function defaultLabels({ os, arch }: Machine): readonly string[] {
  const processor = ({ x64: ['x64'], arm64: ['arm64'], arm: ['arm'] } as Record<string, string[]>)[arch] ?? [arch]
  if (os === 'darwin') return ['self-hosted', 'macos', 'macos-*', ...processor]
  const images = arch === 'arm64' ? ['ubuntu-*-arm'] : ['ubuntu-*']
  return os === 'linux'
    ? ['self-hosted', 'linux', 'ubuntu-latest', ...images, ...processor]
    : ['self-hosted', ...processor]
}

/** Labels of GitHub that a wider pattern must not catch: `ubuntu-24.04-arm` is no label of a machine with another processor. */
function isDefault(label: string, machine: Machine): boolean {
  if (machine.arch !== 'arm64' && /^ubuntu-.*-arm$/i.test(label)) return false
  return defaultLabels(machine).some((pattern) => matches(pattern, label))
}

/**
 * Where the labels of one leg lead: the first label that somebody has mapped decides, else it is this machine. Labels that
 * nobody has mapped and this machine does not have are named: a job that runs elsewhere than it says is no green job.
 */
export function findPlatform(
  labels: readonly string[],
  { platforms, machine }: PlatformRules,
): Platform | { readonly kind: 'unknown'; readonly labels: readonly string[] } {
  const found = labels.map((label) => lookUp(platforms, label))
  const unknown = labels.filter((label, index) => found[index] === undefined && !isDefault(label, machine))
  if (unknown.length > 0) return { kind: 'unknown', labels: unknown }
  return found.find((platform) => platform !== undefined) ?? { kind: 'host' }
}

/** The first rule that fits: see `mergePlatforms`. */
function lookUp(platforms: Readonly<Record<string, string>>, label: string): Platform | undefined {
  const key = Object.keys(platforms).find((name) => matches(name, label))
  return key === undefined ? undefined : parsePlatform(platforms[key] ?? '')
}

function matches(pattern: string, label: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|/]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(label)
}

/** The legs with their platforms, or why one of them has none. */
export function placeLegs(
  legs: readonly JobLeg[],
  rules: PlatformRules,
):
  | { readonly kind: 'placed'; readonly legs: readonly JobLeg[] }
  | { readonly kind: 'unplaced'; readonly reason: Reason } {
  const unknown = new Set<string>()
  const placed = legs.map((leg): JobLeg => {
    const platform = findPlatform(leg.runsOn, rules)
    if (platform.kind === 'unknown') for (const label of platform.labels) unknown.add(label)
    return platform.kind === 'docker' ? { ...leg, image: platform.image } : leg
  })
  return unknown.size === 0
    ? { kind: 'placed', legs: placed }
    : { kind: 'unplaced', reason: unmappedReason([...unknown]) }
}

/** What is wrong with labels that lead nowhere, and how to map them. */
export function unmappedReason(labels: readonly string[]): Reason {
  const names = labels.map((label) => `"${label}"`).join(', ')
  const label = labels[0] ?? ''
  return {
    code: 'JOB_PLATFORM_UNKNOWN',
    message: `"runs-on" asks for ${names}, and this machine is not known by ${labels.length === 1 ? 'that label' : 'those labels'}.`,
    hint: `Say where it runs: --platform ${quoted(label)}=host for this machine, or =docker:IMAGE for a container; or "platforms:" in shipway.yml.`,
  }
}

function quoted(label: string): string {
  return /^[\w.:-]+$/.test(label) ? label : `'${label}'`
}

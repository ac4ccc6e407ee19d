import { refPatternProblem } from '#core/environment/ref-rule.ts'
import { globProblem } from './glob.ts'
import { checkDatabase } from './read-database.ts'
import { renderDuration } from './duration.ts'
import { nearestName } from './nearest.ts'
import type { EnvironmentConfig, ProjectConfig, TargetConfig } from './model.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'
import { hostOfTarget } from './target.ts'

/** What `${{ … }}` may name in `health.url` and `health.contains`. */
const healthUrlNames = ['target.host', 'target.name']
const healthTextNames = ['release.version', 'release.id', 'release.sha']

/** The rules that need more than one value: references between environments, patterns, addresses, times that must fit. */
export function checkProject(reader: ProjectReader, config: ProjectConfig, environmentNames: readonly string[]): void {
  checkFiles(reader, config)
  for (const environment of config.environments) {
    const path: Path = ['environments', environment.name]
    checkReferences(reader, environment, environmentNames)
    checkOrder(reader, environment, config.environments)
    checkPatterns(reader, environment.from, { path: [...path, 'from'], problemOf: refPatternProblem })
    checkTargets(reader, environment)
    checkHealth(reader, environment)
    checkDrain(reader, environment)
    checkSecrets(reader, environment)
    checkApprovals(reader, environment)
    checkDatabase(reader, environment)
    if (environment.url !== undefined && !isHttpUrl(environment.url)) badUrl(reader, environment.url, [...path, 'url'])
  }
  checkCycles(reader, config.environments)
}

function checkFiles(reader: ProjectReader, { release }: ProjectConfig): void {
  if (release.files !== undefined)
    checkPatterns(reader, release.files, { path: ['release', 'files'], problemOf: globProblem })
  if (release.files?.length === 0 || release.files?.every((pattern) => pattern.startsWith('!')) === true) {
    reader.report('CONFIG_VALUE_INVALID', ['release', 'files'], {
      message: 'The release would hold no file: "files" only excludes.',
      hint: 'Begin with "**" to take all files.',
    })
  }
  if (release.artifact !== undefined && !/^[^\p{Cc}"<>|:*?\\/]{1,128}$/u.test(release.artifact)) {
    reader.report('CONFIG_VALUE_INVALID', ['release', 'artifact'], {
      message: `"${release.artifact}" is no name for an artifact.`,
    })
  }
}

function checkReferences(reader: ProjectReader, environment: EnvironmentConfig, names: readonly string[]): void {
  for (const [index, name] of environment.after.entries()) {
    const path = ['environments', environment.name, 'after', index]
    if (names.includes(name) && name !== environment.name) continue
    const near = nearestName(
      name,
      names.filter((candidate) => candidate !== environment.name),
    )
    reader.report('CONFIG_ENVIRONMENT_UNKNOWN', path, {
      message:
        name === environment.name
          ? `Environment "${name}" cannot come after itself.`
          : `Environment "${name}" is not defined in this file.`,
      hint: near === undefined ? `Environments: ${names.join(', ')}.` : `Did you mean "${near}"?`,
    })
  }
}

/** Nothing is ever deployed where no target is, so that nothing could ever come after it. */
function checkOrder(
  reader: ProjectReader,
  { name, after }: EnvironmentConfig,
  all: readonly EnvironmentConfig[],
): void {
  // Targets that are written and wrong are told by themselves.
  if (reader.diagnostics.some(({ code }) => code === 'CONFIG_TARGET_INVALID')) return
  for (const [index, before] of after.entries()) {
    const found = all.find((one) => one.name === before)
    if (found === undefined || found.targets.length > 0 || reader.isEmptyList(['environments', before, 'targets']))
      continue
    reader.report('CONFIG_VALUE_INVALID', ['environments', name, 'after', index], {
      message: `Environment "${name}" cannot come after "${before}", which has no targets: no release is ever put there.`,
      hint: `Give "${before}" targets, or take it out of "after".`,
    })
  }
}

function checkPatterns(
  reader: ProjectReader,
  patterns: readonly string[],
  rule: { path: Path; problemOf: (pattern: string) => string | undefined },
): void {
  for (const [index, pattern] of patterns.entries()) {
    const problem = rule.problemOf(pattern)
    if (problem === undefined) continue
    reader.report('CONFIG_PATTERN_INVALID', [...rule.path, index], {
      message: `The pattern "${pattern}" is not valid: ${problem}.`,
    })
  }
}

function checkTargets(reader: ProjectReader, environment: EnvironmentConfig): void {
  const seen = new Set<string>()
  if (reader.isEmptyList(['environments', environment.name, 'targets'])) {
    reader.report('CONFIG_VALUE_INVALID', ['environments', environment.name, 'targets'], {
      message: `Environment "${environment.name}" has no target.`,
      hint: 'Add ./folder or ssh://user@host/folder.',
    })
  }
  for (const [index, target] of environment.targets.entries()) {
    const path = ['environments', environment.name, 'targets', index]
    const place = placeOf(target)
    if (seen.has(place) || seen.has(target.name)) {
      const hint = seen.has(place) ? 'Take one of them out.' : 'Give one of them another "name".'
      reader.report('CONFIG_TARGET_DUPLICATE', path, {
        message: `The target "${target.name}" stands twice in environment "${environment.name}".`,
        hint,
      })
    }
    seen.add(place).add(target.name)
  }
}

/** Two targets of the same place would get in each other's way. */
function placeOf(target: TargetConfig): string {
  if (target.kind === 'webhook') return `${target.url} ${target.call.kind === 'coolify' ? target.call.application : ''}`
  return target.kind === 'local' ? `:${target.path}` : `${target.host}:${target.port ?? ''}:${target.path}`
}

function checkHealth(reader: ProjectReader, environment: EnvironmentConfig): void {
  const { health } = environment
  const path: Path = ['environments', environment.name, 'health']
  if (health === undefined) {
    if (environment.gates?.time?.healthMs !== undefined)
      reader.report('CONFIG_VALUE_INVALID', ['environments', environment.name, 'gates', 'time', 'health'], {
        message: `"gates.time.health" is a budget for an answer, and nobody asks for one: "${environment.name}" has no "health".`,
        hint: 'Add "health: { url: https://… }", or take the budget out.',
      })
    return
  }
  checkTemplate(reader, health.url, { path: [...path, 'url'], allowed: healthUrlNames })
  const bad = environment.targets
    .map((target) => addressFor(health.url, target))
    .find((address) => address !== '' && !address.includes('${{') && !isHttpUrl(address))
  if (bad !== undefined) badUrl(reader, bad, [...path, 'url'])
  if (health.contains !== undefined)
    checkTemplate(reader, health.contains, { path: [...path, 'contains'], allowed: healthTextNames })
  if (health.everyMs > health.withinMs) {
    reader.report('CONFIG_VALUE_INVALID', [...path, 'every'], {
      message: `"health.every" (${renderDuration(health.everyMs)}) is longer than "health.within" (${renderDuration(health.withinMs)}).`,
    })
  }
  if (environment.confirmWithinMs <= health.withinMs) {
    reader.report('CONFIG_VALUE_INVALID', ['environments', environment.name, 'confirmWithin'], {
      message: `"confirmWithin" (${renderDuration(environment.confirmWithinMs)}) is not longer than "health.within" (${renderDuration(health.withinMs)}): targets would go back before their health is known.`,
      hint: 'Leave it out, or give it a minute more than "health.within".',
    })
  }
}

/** A target that drains for longer than it waits for a confirmation would always go back. */
function checkDrain(
  reader: ProjectReader,
  { name, compose, blueGreen, health, confirmWithinMs }: EnvironmentConfig,
): void {
  const drainMs = (compose?.blueGreen ?? blueGreen)?.drainWithinMs
  if (drainMs === undefined || confirmWithinMs > drainMs + (health?.withinMs ?? 0)) return
  reader.report('CONFIG_VALUE_INVALID', ['environments', name, 'confirmWithin'], {
    message: `"confirmWithin" (${renderDuration(confirmWithinMs)}) is not longer than "drainWithin" (${renderDuration(drainMs)}) and "health.within" together: targets would go back while they drain.`,
    hint: 'Leave it out, or give it a minute more than both.',
  })
}

function checkTemplate(reader: ProjectReader, text: string, place: { path: Path; allowed: readonly string[] }): void {
  for (const [, name = ''] of text.matchAll(/\$\{\{\s*(.*?)\s*\}\}/g)) {
    if (place.allowed.includes(name)) continue
    reader.report('CONFIG_VALUE_INVALID', place.path, {
      message: `"\${{ ${name} }}" has no value here.`,
      hint: `Allowed: ${place.allowed.join(', ')}.`,
    })
  }
}

function checkSecrets(reader: ProjectReader, environment: EnvironmentConfig): void {
  for (const [index, name] of environment.secrets.entries()) {
    const path = ['environments', environment.name, 'secrets', index]
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
      reader.report('CONFIG_VALUE_INVALID', path, {
        message: `"${name.slice(0, 20)}" is no name for a secret.`,
        hint: 'Only names stand in the file, never the secrets.',
      })
    } else if (name in environment.variables) {
      reader.report('CONFIG_VALUE_INVALID', path, { message: `"${name}" is a variable and a secret at once.` })
    }
  }
}

/** More approvals than people who may give one would never be there. */
function checkApprovals(reader: ProjectReader, { name, approvals }: EnvironmentConfig): void {
  const people = new Set(approvals?.from).size
  if (approvals === undefined || people === 0 || approvals.count <= people) return
  reader.report('CONFIG_VALUE_INVALID', ['environments', name, 'approvals', 'count'], {
    message: `Environment "${name}" asks for ${approvals.count} approvals, and "from" names ${people === 1 ? 'one person' : `${people} people`}.`,
    hint: 'Name more people in "from", or lower "count".',
  })
}

/** Reports every environment that comes after itself over others, once per cycle. */
function checkCycles(reader: ProjectReader, environments: readonly EnvironmentConfig[]): void {
  const after = new Map(environments.map((environment) => [environment.name, environment.after]))
  const done = new Set<string>()
  const walk = (name: string, trail: readonly string[]): void => {
    const loopStart = trail.indexOf(name)
    if (loopStart !== -1) {
      const loop = [...trail.slice(loopStart), name]
      const last = trail.at(-1) ?? name
      if (loop.length > 2)
        reader.report('CONFIG_CYCLE', ['environments', last, 'after'], {
          message: `Environments wait for each other: ${loop.join(' → ')}.`,
        })
      return
    }
    if (done.has(name)) return
    for (const next of after.get(name) ?? []) walk(next, [...trail, name])
    done.add(name)
  }
  for (const { name } of environments) walk(name, [])
}

/** The address that is asked for one target: a name may be a host, a port or a part of a path. */
function addressFor(url: string, target: TargetConfig): string {
  const host = hostOfTarget(target)
  return url
    .replaceAll(/\$\{\{\s*target\.host\s*\}\}/g, () => (host.includes(':') ? `[${host}]` : host))
    .replaceAll(/\$\{\{\s*target\.name\s*\}\}/g, () => target.name)
}

function isHttpUrl(text: string): boolean {
  try {
    const url = new URL(text)
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  } catch {
    return false
  }
}

function badUrl(reader: ProjectReader, text: string, path: Path): void {
  reader.report('CONFIG_URL_INVALID', path, {
    message: `"${text}" is no address that can be asked.`,
    hint: 'Write http://… or https://…, without a password.',
  })
}

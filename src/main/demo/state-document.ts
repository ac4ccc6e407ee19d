/** A run as `shipway ps --json` lists it, as far as the demo looks at it. */
export interface RunState {
  readonly id: string
  readonly state: string
}

/** An environment as `shipway status --json` lists it, as far as the demo looks at it. */
export interface EnvironmentState {
  readonly name: string
  /** Version that runs there. */
  readonly version: string | undefined
  readonly isHeld: boolean
}

/** The runs of a WorkList document, newest first. */
export function readRuns(document: unknown): readonly RunState[] {
  const runs = recordsIn(document, 'items').filter((item) => item['kind'] === 'run')
  return runs.map((item) => ({ id: text(item['id']) ?? '', state: text(item['state']) ?? '' }))
}

/** The environments of a StatusList document, all applications together. */
export function readEnvironments(document: unknown): readonly EnvironmentState[] {
  const environments = recordsIn(document, 'items').flatMap((item) => recordsIn(item, 'environments'))
  return environments.map((item) => ({
    name: text(item['name']) ?? '',
    version: text(item['version']),
    isHeld: Array.isArray(item['notes']) && item['notes'].includes('held'),
  }))
}

function recordsIn(document: unknown, key: string): readonly Record<string, unknown>[] {
  const items = isRecord(document) ? document[key] : undefined
  return Array.isArray(items) ? items.filter(isRecord) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

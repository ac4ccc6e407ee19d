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

/** The runs of a RunList document, newest first. */
export function readRuns(document: unknown): readonly RunState[] {
  return itemsOf(document).map((item) => ({ id: text(item['id']) ?? '', state: text(item['state']) ?? '' }))
}

/** The environments of a status document. */
export function readEnvironments(document: unknown): readonly EnvironmentState[] {
  return itemsOf(document).map((item) => ({
    name: text(item['name']) ?? text(item['environment']) ?? '',
    version: isRecord(item['current']) ? text(item['current']['version']) : undefined,
    isHeld: isRecord(item['hold']),
  }))
}

function itemsOf(document: unknown): readonly Record<string, unknown>[] {
  const items = isRecord(document) ? document['items'] : undefined
  return Array.isArray(items) ? items.filter(isRecord) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

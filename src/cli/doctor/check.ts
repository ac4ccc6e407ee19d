/** `skip`: it could not be looked at, and the text says why. */
export type CheckStatus = 'ok' | 'warn' | 'fail' | 'skip'

/** The answer of one check: what was found, and for everything that is not ok what to do. */
export interface Check {
  /** Lower case, one or two words: `store`, `free disk`. */
  readonly name: string
  readonly status: CheckStatus
  readonly found: string
  readonly fix?: string
}

export interface CheckGroup {
  readonly name: string
  readonly checks: readonly Check[]
}

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found }
}

export function warn(name: string, found: string, fix: string): Check {
  return { name, status: 'warn', found, fix }
}

export function fail(name: string, found: string, fix: string): Check {
  return { name, status: 'fail', found, fix }
}

export function skip(name: string, found: string): Check {
  return { name, status: 'skip', found }
}

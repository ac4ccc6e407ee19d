/**
 * What the shell sees when a command ends with this error (documented under `shipway help exit-codes`).
 * `red`: it ran and the answer is no. `usage`: the call or a file is wrong. `refused`: a rule forbids it.
 * `auth`: credentials are needed. `unreachable`: a target did not answer. `waiting`: somebody must act first.
 */
export type ErrorKind = 'red' | 'usage' | 'refused' | 'auth' | 'unreachable' | 'waiting'

/** Exit status per kind of error. */
export const exitCodeOf: Record<ErrorKind, number> = {
  red: 1,
  usage: 2,
  refused: 3,
  auth: 4,
  unreachable: 5,
  waiting: 8,
}

export interface KnownErrorInit {
  /** Stable name, `NOUN_STATE`. Programs branch on it, never on the message. */
  readonly code: string
  readonly kind: ErrorKind
  /** One sentence of fact with the value that was found. */
  readonly message: string
  /** What to do next, if possible as a command. */
  readonly hint?: string
  /** Whether the same call may succeed later without a change. */
  readonly retry?: 'never' | 'backoff'
  /** Lines that show why: evidence, diagnostics, the end of an output. */
  readonly details?: readonly string[]
  readonly cause?: unknown
}

/**
 * A failure that Shipway foresaw. It is created by the functions in `core/known/`, one per code, so that all
 * wording can be reviewed in one place. Everything else that is thrown is a bug.
 */
export class KnownError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly retry: 'never' | 'backoff'
  readonly details: readonly string[]

  constructor(init: KnownErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = 'KnownError'
    this.code = init.code
    this.kind = init.kind
    this.hint = init.hint
    this.retry = init.retry ?? 'never'
    this.details = init.details ?? []
  }
}

/** A known error as data: for the store, a socket, `--json`. */
export interface ErrorReport {
  readonly code: string
  readonly kind: ErrorKind
  readonly message: string
  readonly hint?: string
  readonly details?: readonly string[]
}

/** The data form of any thrown value; an unknown one gets the code `BUG`. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof KnownError) {
    return {
      code: error.code,
      kind: error.kind,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details.length === 0 ? {} : { details: error.details }),
    }
  }
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, stackLinesMax + 1) : []
  return {
    code: 'BUG',
    kind: 'red',
    message: `A mistake in Shipway: ${error instanceof Error ? error.message : String(error)}`,
    details: stack.map((line) => line.trim()),
  }
}

/** Lines of a stack that a report of a bug keeps. */
const stackLinesMax = 12

/** The error that a report describes, to throw it on this side of a socket or a store. */
export function errorFromReport(report: ErrorReport): KnownError {
  return new KnownError(report)
}

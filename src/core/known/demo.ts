import { KnownError } from '#core/errors.ts'

/** The demo did not see what it says that one sees: it never goes on as if it had. */
export function demoExpectationFailed(fact: {
  readonly expected: string
  readonly found: string
  /** What the command printed, when the reader has not seen it yet. */
  readonly output?: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'DEMO_EXPECTATION_FAILED',
    kind: 'red',
    message: `The demo expected ${fact.expected}, and found ${fact.found}.`,
    hint: 'Look around in the folder that is left; if it fails again, please report it with the output above.',
    ...(fact.output === undefined || fact.output.length === 0 ? {} : { details: fact.output }),
  })
}

/** `--dir` must name a folder that the demo may fill. */
export function demoFolderInUse(fact: { readonly folder: string }): KnownError {
  return new KnownError({
    code: 'DEMO_FOLDER_IN_USE',
    kind: 'usage',
    message: `${fact.folder} is not an empty folder, and the demo does not write into what it did not make.`,
    hint: 'Name a new folder with --dir, or leave --dir away for a scratch folder.',
  })
}

/** The folder cannot be made or filled: not ours, read-only, full. */
export function demoFolderUnwritable(fact: {
  readonly folder: string
  readonly problem: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'DEMO_FOLDER_UNWRITABLE',
    kind: 'usage',
    message: `The demo cannot write to ${fact.folder}: ${fact.problem}.`,
    hint: 'Name a folder that you may write to with --dir, or set TMPDIR to one; it needs about 10 MB.',
    cause: fact.cause,
  })
}

/** No two free ports: a machine like that has a different problem. */
export function demoPortsMissing(fact: { readonly tried: number }): KnownError {
  return new KnownError({
    code: 'DEMO_PORTS_MISSING',
    kind: 'red',
    message: `None of ${fact.tried} ports that the demo tried on 127.0.0.1 is free.`,
    hint: 'See what listens with `ss -ltnp`.',
    retry: 'backoff',
  })
}

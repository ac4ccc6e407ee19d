import { KnownError } from '#core/errors.ts'

/** The file system of the store has no room left. Nothing of the transaction stays, and the store goes on when there is room. */
export function storeDiskFull(fact: { readonly store: string; readonly cause: unknown }): KnownError {
  return new KnownError({
    code: 'STORE_DISK_FULL',
    kind: 'red',
    message: `The store ${fact.store} cannot grow: the disk is full.`,
    hint: 'Free some space on that file system (old runs first), then repeat the command. Nothing was lost.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** The content of the file is not a healthy SQLite database. */
export function storeCorrupt(fact: {
  readonly store: string
  readonly detail: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'STORE_CORRUPT',
    kind: 'red',
    message: `The store ${fact.store} is damaged or is not a database: ${fact.detail}.`,
    hint: 'Stop the agent, keep a copy of the file for analysis, and put the newest backup back in its place.',
    cause: fact.cause,
  })
}

/** The file exists but cannot be opened, read or written: permissions, a read-only or broken disk. */
export function storeUnreadable(fact: {
  readonly store: string
  readonly detail: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'STORE_UNREADABLE',
    kind: 'red',
    message: `The store ${fact.store} cannot be used: ${fact.detail}.`,
    hint: 'Check who owns the file and its folder, and that the file system is writable and healthy (`dmesg`).',
    cause: fact.cause,
  })
}

/** A reader found no store: nothing has run in this home yet. */
export function storeMissing(fact: { readonly store: string; readonly cause?: unknown }): KnownError {
  return new KnownError({
    code: 'STORE_MISSING',
    kind: 'usage',
    message: `There is no store at ${fact.store}.`,
    hint: 'Nothing has run in this state home yet: start with `shipway run`, or name another home with SHIPWAY_HOME.',
    cause: fact.cause,
  })
}

/** Another process holds the store for longer than a statement waits. */
export function storeBusy(fact: { readonly store: string; readonly cause: unknown }): KnownError {
  return new KnownError({
    code: 'STORE_BUSY',
    kind: 'red',
    message: `The store ${fact.store} is locked by another process.`,
    hint: 'Only the agent may write it. End other programs that have the file open, for example an `sqlite3` shell.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** SQLite below 3.51.3 can corrupt a write-ahead log that two connections use. */
export function storeEngineOld(fact: { readonly found: string; readonly required: string }): KnownError {
  return new KnownError({
    code: 'STORE_ENGINE_OLD',
    kind: 'usage',
    message: `This Node brings SQLite ${fact.found}; the store needs ${fact.required} or newer.`,
    hint: 'Start Shipway through its own launcher, which uses the Node that it was tested with.',
  })
}

/** A newer Shipway has written this store; an older one would destroy what it does not know. */
export function storeSchemaNewer(fact: { readonly found: number; readonly known: number }): KnownError {
  return new KnownError({
    code: 'STORE_SCHEMA_NEWER',
    kind: 'refused',
    message: `The store has schema ${fact.found}, and this Shipway knows schemas up to ${fact.known}.`,
    hint: 'Use the Shipway that wrote it, or a newer one. A store never goes back to an older schema.',
  })
}

/** A reader that may not migrate found a store of an older Shipway. */
export function storeSchemaOlder(fact: { readonly found: number; readonly known: number }): KnownError {
  return new KnownError({
    code: 'STORE_SCHEMA_OLDER',
    kind: 'refused',
    message: `The store has schema ${fact.found}; this Shipway reads schema ${fact.known}.`,
    hint: 'Let the agent bring it up to date once, with `shipway agent --until-quiet` or a restart of the agent that stays.',
  })
}

/** The database server does not answer. */
export function storeUnreachable(fact: {
  readonly store: string
  readonly detail: string
  readonly cause: unknown
}): KnownError {
  return new KnownError({
    code: 'STORE_UNREACHABLE',
    kind: 'unreachable',
    message: `The store ${fact.store} does not answer: ${fact.detail}.`,
    hint: 'Check that PostgreSQL runs and accepts connections from here: `pg_isready`.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** The database server refuses our user, password or database. */
export function storeAccessRefused(fact: {
  readonly store: string
  readonly detail: string
  readonly cause: unknown
}): KnownError {
  return new KnownError({
    code: 'STORE_ACCESS_REFUSED',
    kind: 'auth',
    message: `The store ${fact.store} refuses access: ${fact.detail}.`,
    hint: 'Check user, password, database and schema rights in the connection string.',
    cause: fact.cause,
  })
}

/** The connection broke while a commit was on its way: it may have happened or not. */
export function storeOutcomeUnknown(fact: { readonly store: string; readonly cause: unknown }): KnownError {
  return new KnownError({
    code: 'STORE_OUTCOME_UNKNOWN',
    kind: 'unreachable',
    message: `The connection to the store ${fact.store} broke during a commit: nobody knows whether it happened.`,
    hint: 'Look at the state again before you repeat the command.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** The optional package that speaks to PostgreSQL is not installed. */
export function storeDriverMissing(fact: { readonly cause: unknown }): KnownError {
  return new KnownError({
    code: 'STORE_DRIVER_MISSING',
    kind: 'usage',
    message: 'A store in PostgreSQL needs the package `pg`, which is not installed.',
    hint: 'Install it beside Shipway with `npm install pg`, or leave the store in SQLite.',
    cause: fact.cause,
  })
}

/** The lock file that makes an agent the only one of its home cannot be used. */
export function agentLockUnusable(fact: {
  readonly path: string
  readonly detail: string
  readonly cause: unknown
}): KnownError {
  return new KnownError({
    code: 'AGENT_LOCK_UNUSABLE',
    kind: 'red',
    message: `The lock file ${fact.path} cannot be used: ${fact.detail}.`,
    hint: 'Check that the state home exists, belongs to you and is on a local file system.',
    cause: fact.cause,
  })
}

import type { ActionOrigin } from '#core/action/lock.ts'
import type { RemoteName } from '#core/action/remote-name.ts'

/** One commit of another repository, whole and on this machine. */
export interface StoredCommit {
  /** `owner/repo` in lower case. */
  readonly repository: string
  readonly commit: string
}

/**
 * The other repositories that workflows use: `uses: owner/repo[/path]@ref`, as an action or as a reusable workflow. What is stored once needs no network
 * again and never changes; all methods may run concurrently, and in several processes on one home.
 */
export interface ActionStore {
  /**
   * The commit that a name stands for: the one that the project has pinned, else the one that the store took this ref for when it first met it, else a new
   * one from the base url. Throws ACTION_NOT_STORED (not here and not to be had, with git's words), ACTION_REF_MOVED (the pinned commit is not here, and its
   * ref stands for another one by now) or ACTION_REF_UNKNOWN. Nothing is fetched when it is here.
   */
  resolve(
    name: Pick<RemoteName, 'repository' | 'ref'>,
    origin: ActionOrigin,
    signal?: AbortSignal,
  ): Promise<StoredCommit>
  /**
   * Absolute path of a folder with all files of the commit; nobody may write into it. Every file was just compared with what the commit says; one that was changed is
   * written again. Throws ACTION_STORE_DAMAGED when the commit itself cannot be read.
   */
  folder(commit: StoredCommit): Promise<string>
  /** Absolute path of the bare git repository that has the commit; nobody may write into it. Without history: the store keeps none. */
  gitFolder(commit: StoredCommit): Promise<string>
  /** Text of one file of the commit, for a reusable workflow; undefined when there is no such file. */
  readText(commit: StoredCommit, path: string): Promise<string | undefined>
}

/** A ref of another repository as the store knows it. */
export interface StoredRef {
  /** `owner/repo` in lower case. */
  readonly repository: string
  readonly ref: string
  readonly commit: string
  /** Where it came from; absent for a folder of this machine. */
  readonly url?: string
  /** Absolute path of the folder of this machine that it came from. It stays in this home: a lock never names it. */
  readonly folder?: string
  /** Milliseconds since 1970. */
  readonly storedAt: number
}

/** What `verify` says of one commit: `mended` was damaged and is written again, `damaged` cannot be. */
export interface StoredVerdict extends StoredCommit {
  readonly state: 'sound' | 'mended' | 'damaged'
  readonly problem?: string
}

/** What `verifyRemote` says of one ref: `local` came from this machine, and nobody can be asked. */
export interface RemoteVerdict {
  readonly repository: string
  readonly ref: string
  readonly commit: string
  readonly state: 'same' | 'moved' | 'gone' | 'unreachable' | 'local'
  /** What it stands for now, when it has moved. */
  readonly now?: string
  readonly problem?: string
}

/** The store as people care for it with `shipway actions`. */
export interface ActionLibrary extends ActionStore {
  /**
   * Takes a ref in from a git url, a git repository or a plain folder, and makes it what the name stands for. A plain folder, and a repository of this
   * machine that has no such ref (then its HEAD), take any ref. Without a name that of the url, without a ref its default branch.
   */
  add(
    source: string,
    name: { readonly repository?: string; readonly ref?: string },
    signal?: AbortSignal,
  ): Promise<{ readonly stored: StoredRef; readonly note?: string }>
  /** Asks again what a ref stands for, and stores that. Throws ACTION_FROM_FOLDER, and asks nobody, when the ref came from a folder of this machine. */
  update(name: Pick<RemoteName, 'repository' | 'ref'>, origin: ActionOrigin, signal?: AbortSignal): Promise<StoredRef>
  /** All refs, sorted by name. */
  list(): Promise<readonly StoredRef[]>
  /** Compares every stored commit with its files and mends what can be mended. */
  verify(): Promise<readonly StoredVerdict[]>
  /** Asks where each ref came from what it stands for now. Fetches nothing. */
  verifyRemote(signal?: AbortSignal): Promise<readonly RemoteVerdict[]>
  /** Removes the commits that no ref of the store stands for any more, when no run has used them for so long. Says which. */
  prune(options: { readonly unusedDays: number; readonly isDryRun: boolean }): Promise<readonly StoredCommit[]>
  /** Removes a ref with its commit, unless another ref stands for that, or a whole repository. Says how many refs are gone. */
  remove(name: { readonly repository: string; readonly ref?: string }): Promise<number>
}

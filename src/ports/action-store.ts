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
   * Absolute path of a read-only folder with all files of the commit. Every file was just compared with what the commit says; one that was changed is
   * written again. Throws ACTION_STORE_DAMAGED when the commit itself cannot be read.
   */
  folder(commit: StoredCommit): Promise<string>
  /** Text of one file of the commit, for a reusable workflow; undefined when there is no such file. */
  readText(commit: StoredCommit, path: string): Promise<string | undefined>
}

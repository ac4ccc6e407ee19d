import type { NotedCommit } from '#core/release/notes.ts'

/** An entry of a tree, as `git ls-tree -r` tells it. */
export interface TreeFile {
  readonly path: string
  /** A symbolic link is a blob with its target; a submodule is a commit of another repository. */
  readonly kind: 'file' | 'link' | 'submodule'
  /** 0o644 or 0o755 of a file. */
  readonly mode: number
  readonly oid: string
}

/** What the engine reads from a git repository on this machine. The system's `git` does the work; nothing is ever changed. */
export interface Git {
  /** Text of several files of a commit at once; undefined for what is not there. Folders give the names in them, a line each. */
  readFiles(repository: string, sha: string, paths: readonly string[]): Promise<readonly (GitObject | undefined)[]>
  /** All files, links and submodules of a commit. */
  listFiles(repository: string, sha: string): Promise<readonly TreeFile[]>
  /** Content of a blob. */
  readBlob(repository: string, oid: string): Promise<Uint8Array>
  /**
   * `git diff -U0` between two commits, without external programs; without a base from the first parent, or from nothing for
   * the first commit. Undefined when a commit is not there, or its parent is beyond the end of a shallow clone.
   */
  diffLines(repository: string, base: string | undefined, sha: string): Promise<string | undefined>
  /** The branch that the rules are taken from: `origin/HEAD`, else `init.defaultBranch`, else `main` or `master`, else the only one there is. */
  defaultBranch(repository: string): Promise<DefaultBranch | undefined>
  /** Commits that are in `sha` and not in `base`, newest first, merges left out; undefined when git does not know one of them. */
  commitsBetween(repository: string, base: string | undefined, sha: string): Promise<readonly NotedCommit[] | undefined>
  /** Whether a commit has another one behind it, or is it. False also when git knows one of them not. */
  isAncestor(repository: string, ancestor: string, sha: string): Promise<boolean>
}

export interface DefaultBranch {
  readonly name: string
  /** The newest commit of it, here, then as far as it is known at `origin`. */
  readonly tips: readonly string[]
}

export type GitObject =
  | { readonly kind: 'file'; readonly oid: string; readonly text: string }
  | { readonly kind: 'folder'; readonly names: readonly string[] }

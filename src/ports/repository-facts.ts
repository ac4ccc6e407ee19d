/** What a git repository says of itself at one moment. */
export interface RepositoryFacts {
  /** Absolute path of the working tree's root. */
  readonly root: string
  /** Commit of HEAD; absent in a repository without a commit. */
  readonly sha?: string
  /** `refs/heads/main`; absent when HEAD is detached. */
  readonly ref?: string
  /** Tags that point at HEAD, newest version first: `refs/tags/v1.2.3`. */
  readonly tags: readonly string[]
  /** Files with changes that nobody committed, untracked ones included; empty: the tree is clean. */
  readonly changes: readonly string[]
  readonly defaultBranch: string
  /** `owner/name` from the remote `origin`, else `local/<folder>`. */
  readonly repositoryName: string
  /** `user.name` of git's configuration, or what the system calls the user. */
  readonly author: string
  /** HEAD's message, whole: it may ask to skip the run. */
  readonly message?: string
  /** Files that HEAD changed against its first parent, for path filters; absent when git cannot tell (a root commit lists all). */
  readonly changedFiles?: readonly string[]
  /** Who made HEAD. */
  readonly commitAuthor?: { readonly name: string; readonly email: string }
  /** First parent of HEAD, for `github.event.before`. */
  readonly parent?: string
}

/** A commit that a name stands for, with what is told of it. */
export interface ResolvedCommit extends Pick<RepositoryFacts, 'message' | 'parent' | 'changedFiles' | 'commitAuthor'> {
  /** Full ref, or the commit's id where the name is no branch and no tag. */
  readonly ref: string
  readonly sha: string
}

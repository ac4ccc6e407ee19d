import type { IssuesConfig } from '#core/issue/model.ts'

export interface TrackedIssue {
  /** As people write it after `#`. */
  readonly number: number
  readonly body: string
  readonly isOpen: boolean
}

/**
 * The issues of one repository at a forge. Throws FORGE_UNREACHABLE where trying again can help and FORGE_REFUSED where it cannot; an answer that
 * is lost may have been obeyed, so whoever tries again looks first.
 */
export interface IssueTracker {
  /** The open issue whose body holds the text; among several the oldest. */
  find(text: string): Promise<TrackedIssue | undefined>
  /** Undefined when there is none, or it is a pull request. */
  load(number: number): Promise<TrackedIssue | undefined>
  open(issue: { readonly title: string; readonly body: string; readonly labels: readonly string[] }): Promise<number>
  comment(number: number, text: string): Promise<void>
  close(number: number): Promise<void>
}

/** Makes the tracker of a configuration; asks nobody. */
export type OpenTracker = (config: IssuesConfig, token: string, signal: AbortSignal) => Promise<IssueTracker>

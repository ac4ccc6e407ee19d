/** `issues` of shipway.yml: where failures are reported. */
export interface IssuesConfig {
  readonly forge: 'github' | 'gitlab' | 'gitea'
  /** `owner/name`; at GitLab the path of the project. */
  readonly repository: string
  /** Address of the forge's API. */
  readonly url: string
  /** Name of the secret with the token: `secrets/<application>.json` in the state home. */
  readonly token: string
  readonly labels: readonly string[]
  /** Refs whose runs and releases are reported; empty: all. */
  readonly from: readonly string[]
  /** Page of a run or deployment, with `{id}`; absent: the command that shows it is named. */
  readonly link?: string
}

/** What an issue is about: it is open at most once for these. */
export interface IssueKey {
  readonly application: string
  readonly workflow: string
  /** Absent: the run itself failed. */
  readonly environment?: string
}

/** How a run or a deployment ended, as an issue tells it. */
export interface Outcome extends IssueKey {
  /** Id of the run or deployment. */
  readonly subject: string
  readonly isGreen: boolean
  /** `run #12`, `deployment of v1.2.3`. */
  readonly what: string
  /** Jobs that failed, or the deployment. */
  readonly stages: readonly string[]
  readonly ref: string
  readonly sha: string
  /** Everything that ran, and how it ended. */
  readonly status: readonly { readonly name: string; readonly conclusion: string }[]
  readonly reason?: string
  /** Issues that the commits of a green run say they fix. */
  readonly fixes: readonly number[]
}

import type { Severity } from '#core/evidence/vulnerability.ts'

/** What an environment asks for before a release may come: each member is a gate, and absent ones are not asked. */
export interface GatePolicy {
  readonly tests?: TestGate
  readonly coverage?: CoverageGate
  readonly vulnerabilities?: VulnerabilityGate
  /** No scanner may have found a secret. */
  readonly secrets?: boolean
  /** A readable bill of materials must be there. */
  readonly sbom?: boolean
  readonly time?: TimeGate
  readonly sonarqube?: SonarQubeGate
  readonly review?: ReviewGate
}

/** The quality gate of a SonarQube server for exactly the commit of the release. */
export interface SonarQubeGate {
  /** Address of the server, without `/api`. */
  readonly url: string
  readonly project: string
  /** Name of the secret with the token. */
  readonly token: string
  /** Branch of the analysis; absent: the branch of the release, or the main one for a tag. */
  readonly branch?: string
  /** How long an analysis may still be under way. */
  readonly withinMs: number
}

/** Approvals of the pull or merge request that brought the commit of the release. */
export interface ReviewGate {
  readonly forge: 'github' | 'gitlab' | 'gitea'
  /** Address of the forge's API. */
  readonly url: string
  /** `owner/name`; at GitLab the path or number of the project. */
  readonly repository: string
  /** Name of the secret with the token. */
  readonly token: string
  readonly approvals: number
  /** The author, and whoever has commits in it, is not counted. */
  readonly notAuthor: boolean
  /** Only approvals of the last commit count. */
  readonly ofHead: boolean
  /** Logins whose approvals count; empty: everybody with the right to write. */
  readonly from: readonly string[]
  /** Branches that the request must go into; empty: the branch of the release. */
  readonly into: readonly string[]
}

export interface TestGate {
  /** Tests that must have run, skipped ones left out. */
  readonly minimum: number
}

/** Percentages, 0 to 100. */
export interface CoverageGate {
  readonly lines?: number
  readonly branches?: number
  /** Of the lines that the commit changed. */
  readonly changed?: number
  /** Points that line coverage may lose against the release that the environment runs. */
  readonly drop?: number
}

export interface VulnerabilityGate {
  readonly block: readonly Severity[]
  readonly warn: readonly Severity[]
  /** Do not count what nobody can mend by an update. */
  readonly ignoreUnfixed: boolean
}

/** Time budgets. */
export interface TimeGate {
  /** From the start of the run that sealed the release to its sealing. */
  readonly buildMs?: number
  /** From the start of a deployment to the end of its verification; a rollback is measured only. */
  readonly deployMs?: number
  /** Longest time for one healthy answer. */
  readonly healthMs?: number
}

/** A finding that somebody has decided to live with, for a time. */
export interface Waiver {
  readonly id: string
  readonly reason: string
  /** Milliseconds since 1970: the end of the day that was written, UTC. */
  readonly expiresAt: number
}

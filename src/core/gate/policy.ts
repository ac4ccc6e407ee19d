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
}

/** A finding that somebody has decided to live with, for a time. */
export interface Waiver {
  readonly id: string
  readonly reason: string
  /** Milliseconds since 1970: the end of the day that was written, UTC. */
  readonly expiresAt: number
}

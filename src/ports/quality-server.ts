import type { GateAnswer } from '#core/gate/answer.ts'

/** Which analysis a quality server is asked about. */
export interface QualityQuestion {
  /** Address without `/api`. Never what a report names: the token goes there. */
  readonly url: string
  readonly token: string
  readonly project: string
  readonly sha: string
  /** Branch of the analysis; absent: the main one. */
  readonly branch?: string
  readonly pullRequest?: string
  /** Id of the task that the run's scanner has handed in. */
  readonly task?: string
}

export type QualityAnswer = Extract<GateAnswer, { readonly kind: 'quality' | 'pending' }>

/**
 * Asks for the quality gate of the analysis of exactly one commit, once. Throws SONARQUBE_UNREACHABLE where trying again can help; other known
 * errors say that there is no answer. May be called again at any time.
 */
export type AskQuality = (question: QualityQuestion, signal: AbortSignal) => Promise<QualityAnswer>

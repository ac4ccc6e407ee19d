import type { SonarCondition } from '#core/evidence/sonarqube.ts'
import type { PullRequest } from './review.ts'

/** Gates that ask another service about the commit; the others read what the run has uploaded. */
export const askingGates = ['sonarqube', 'review'] as const
export type AskingGate = (typeof askingGates)[number]

/** What a service said to a gate about one commit. It is evidence: kept with the deployment or the run that asked, and judged from there. */
export type GateAnswer =
  | {
      readonly gate: 'sonarqube'
      readonly kind: 'quality'
      readonly status: 'OK' | 'WARN' | 'ERROR' | 'NONE'
      readonly conditions: readonly SonarCondition[]
      readonly project: string
      /** Id of the analysis that was judged. */
      readonly analysis: string
      /** Commit that it was made of, as far as the server says so. */
      readonly revision?: string
    }
  | { readonly gate: 'review'; readonly kind: 'reviews'; readonly pulls: readonly PullRequest[] }
  /** The service is not ready: it is asked again until the time is over. */
  | { readonly gate: AskingGate; readonly kind: 'pending'; readonly why: string }
  /** It could not be asked, or has nothing to say: that is no pass. */
  | {
      readonly gate: AskingGate
      readonly kind: 'unanswered'
      readonly code: string
      readonly problem: string
      readonly hint?: string
    }

/** An answer with the times that say how good it still is, in milliseconds since 1970. */
export interface KeptAnswer {
  /** When this gate was asked for the first time for whoever asks. */
  readonly since: number
  readonly at: number
  readonly answer: GateAnswer
}

/** An answer that is older is asked for again before something starts: a gate can turn red, an approval can be taken back. Ten minutes. */
const answerAgeMsMax = 600_000

/** Answers that still say something: not too old, and none that an earlier attempt (before `from`) was given. */
export function freshAnswers(
  kept: readonly KeptAnswer[],
  { now, from = 0 }: { readonly now: number; readonly from?: number },
): readonly GateAnswer[] {
  return kept.filter(({ at }) => at >= from && now - at <= answerAgeMsMax).map(({ answer }) => answer)
}

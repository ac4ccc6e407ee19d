import { healthProblem } from '#core/deployment/health.ts'
import type { HealthQuestion } from '#core/deployment/health.ts'
import { renderDuration } from '#core/project/duration.ts'
import type { HealthRule } from '#core/project/model.ts'
import type { DeliveryContext } from './context.ts'

/** One answer may take this long where no budget says it (`gates.time.health`); a program that needs longer is not healthy. */
const answerMsDefault = 5000
const bodyBytesMax = 64 * 1024

export type HealthOutcome =
  | {
      readonly kind: 'healthy' | 'unhealthy'
      readonly answers: number
      readonly milliseconds: number
      readonly last: string
      /** How long the last answer took; absent when nothing answered. */
      readonly answerMs?: number
    }
  /** Somebody cancelled the deployment. */
  | { readonly kind: 'stopped' }

/** Asks until `successes` answers in a row are healthy, or the time is over. At least one question is asked. */
export async function checkHealth(
  context: Pick<DeliveryContext, 'clock' | 'probe'>,
  asked: {
    readonly question: HealthQuestion
    readonly rule: HealthRule
    /** Longest time for one healthy answer. */
    readonly answerMsMax?: number
    readonly isStopped: () => Promise<boolean>
  },
  signal: AbortSignal,
): Promise<HealthOutcome> {
  const { clock, probe } = context
  const { question, rule, answerMsMax = answerMsDefault } = asked
  const start = clock.monotonic()
  let answers = 0
  let inARow = 0
  let heard: string | undefined
  let answerMs: number | undefined
  for (;;) {
    const leftMs = rule.withinMs - (clock.monotonic() - start)
    const deadlineMs = Math.min(answerMsMax, Math.max(100, Math.ceil(leftMs)))
    const answer = await probe.get({ url: question.url, deadlineMs, bodyBytesMax }, signal)
    answers += 1
    if (answer.kind === 'answer') answerMs = answer.milliseconds
    const isTooSlow = answer.kind === 'timeout' && asked.answerMsMax !== undefined && deadlineMs === answerMsMax
    const problem = isTooSlow
      ? `it did not answer within ${renderDuration(answerMsMax)}, the budget of "gates.time.health"`
      : healthProblem(question, answer)
    inARow = problem === undefined ? inARow + 1 : 0
    const milliseconds = Math.round(clock.monotonic() - start)
    // A question that the end of the time cut short says less than the answer before it.
    const isCut = answer.kind === 'timeout' && deadlineMs < answerMsMax
    const last: string = isCut && heard !== undefined ? heard : (problem ?? `it answered ${question.status}`)
    heard = last
    const seen = { answers, milliseconds, last, ...(answerMs === undefined ? {} : { answerMs }) }
    if (inARow >= rule.successes) return { kind: 'healthy', ...seen }
    if (milliseconds + rule.everyMs >= rule.withinMs) return { kind: 'unhealthy', ...seen }
    if (await asked.isStopped()) return { kind: 'stopped' }
    await clock.sleep(rule.everyMs, signal)
  }
}

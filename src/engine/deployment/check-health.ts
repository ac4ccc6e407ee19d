import { healthProblem } from '#core/deployment/health.ts'
import type { HealthQuestion } from '#core/deployment/health.ts'
import type { HealthRule } from '#core/project/model.ts'
import type { DeliveryContext } from './context.ts'

/** One answer may take this long; a program that needs longer is not healthy. */
const answerDeadlineMs = 5000
const bodyBytesMax = 64 * 1024

export type HealthOutcome =
  | {
      readonly kind: 'healthy' | 'unhealthy'
      readonly answers: number
      readonly milliseconds: number
      readonly last: string
    }
  /** Somebody cancelled the deployment. */
  | { readonly kind: 'stopped' }

/** Asks until `successes` answers in a row are healthy, or the time is over. At least one question is asked. */
export async function checkHealth(
  context: Pick<DeliveryContext, 'clock' | 'probe'>,
  asked: { readonly question: HealthQuestion; readonly rule: HealthRule; readonly isStopped: () => Promise<boolean> },
  signal: AbortSignal,
): Promise<HealthOutcome> {
  const { clock, probe } = context
  const { question, rule } = asked
  const start = clock.monotonic()
  let answers = 0
  let inARow = 0
  let heard: string | undefined
  for (;;) {
    const leftMs = rule.withinMs - (clock.monotonic() - start)
    const deadlineMs = Math.max(100, Math.min(answerDeadlineMs, Math.ceil(leftMs)))
    const answer = await probe.get({ url: question.url, deadlineMs, bodyBytesMax }, signal)
    answers += 1
    const problem = healthProblem(question, answer)
    inARow = problem === undefined ? inARow + 1 : 0
    const milliseconds = Math.round(clock.monotonic() - start)
    // A question that the end of the time cut short says less than the answer before it.
    const isCut = answer.kind === 'timeout' && deadlineMs < answerDeadlineMs
    const last: string = isCut && heard !== undefined ? heard : (problem ?? `it answered ${question.status}`)
    heard = last
    if (inARow >= rule.successes) return { kind: 'healthy', answers, milliseconds, last }
    if (milliseconds + rule.everyMs >= rule.withinMs) return { kind: 'unhealthy', answers, milliseconds, last }
    if (await asked.isStopped()) return { kind: 'stopped' }
    await clock.sleep(rule.everyMs, signal)
  }
}

import { httpProbe } from '#adapters/http-probe/http-probe.ts'
import { healthProblem, healthQuestion, isAskedPerTarget } from '#core/deployment/health.ts'
import { sealedEnvironment } from '#core/deployment/plan.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import { hostOfTarget } from '#core/project/target.ts'
import type { Release } from '#core/release/model.ts'

/** Whoever looks at a screen does not wait longer for an answer. Milliseconds. */
const answerDeadlineMs = 5000
const bodyBytesMax = 64 * 1024

/** Asks the health address of what runs, by the rule that was sealed with it. All targets at once; the first that is not well is told. */
export async function askHealth(
  environment: EnvironmentConfig,
  release: Release,
  signal: AbortSignal,
): Promise<{ readonly isHealthy: boolean; readonly last: string } | undefined> {
  const rule = sealedEnvironment(release, environment).health
  if (rule === undefined) return undefined
  const targets = isAskedPerTarget(rule) ? environment.targets : environment.targets.slice(0, 1)
  const problems = await Promise.all(
    targets.map(async (target) => {
      const question = healthQuestion(rule, release, { name: target.name, host: hostOfTarget(target) })
      const answer = await httpProbe.get({ url: question.url, deadlineMs: answerDeadlineMs, bodyBytesMax }, signal)
      const problem = healthProblem(question, answer)
      return problem === undefined ? [] : [`${question.url}: ${problem}`]
    }),
  )
  const [first] = problems.flat()
  return { isHealthy: first === undefined, last: first ?? `it answered ${rule.status}` }
}

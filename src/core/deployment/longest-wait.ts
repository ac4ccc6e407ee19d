import type { Verdict } from '#core/environment/check.ts'
import { environmentDaysMax, longestMs } from '#core/run/longest-time.ts'

/**
 * What rules say to a deployment that has waited for too long: it is refused, with what it waited for last. The time is that of a job that waits
 * for its environment, so that an approval that nobody gives ends both on the same day. Times are in milliseconds since 1970.
 */
export function withinLongestWait(
  verdict: Verdict,
  { id, environment, createdAt, now }: { id: string; environment: string; createdAt: number; now: number },
): Verdict {
  if (verdict.kind !== 'wait' || now - createdAt < longestMs.environment) return verdict
  return {
    kind: 'refuse',
    reason: {
      code: 'DEPLOYMENT_WAITED_TOO_LONG',
      message: `${id} has waited for ${environmentDaysMax} days, the longest time. The last thing it waited for: ${verdict.reason.message}`,
      hint: `\`shipway deploy ${environment}\` asks anew.`,
    },
  }
}

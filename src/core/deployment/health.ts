import type { HealthRule } from '#core/project/model.ts'
import type { Reason } from '#core/reason.ts'
import type { Release } from '#core/release/model.ts'
import { renderDuration } from '#core/project/duration.ts'

/** How much of an answer's body is repeated in a reason. */
const excerptLengthMax = 200

/** How many sick targets a reason names. */
const targetsNamedMax = 5

/** What came back from a health address: see the port `HealthProbe`. */
export type HealthAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly location?: string; readonly body: string }
  | { readonly kind: 'reset' | 'unreachable'; readonly why: string }
  | { readonly kind: 'timeout' }

/** A health rule for one release and target: everything that `${{ … }}` stood for is in its place. */
export interface HealthQuestion {
  readonly url: string
  readonly status: number
  readonly contains?: string
}

/** Fills in what a rule says about the release and the target. */
export function healthQuestion(
  rule: HealthRule,
  release: Release,
  target: { readonly name: string; readonly host: string },
): HealthQuestion {
  const values: Readonly<Record<string, string>> = {
    'release.version': release.manifest.version,
    'release.id': release.id,
    'release.sha': release.manifest.source.sha,
    'target.name': target.name,
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    'target.host': target.host.includes(':') ? `[${target.host}]` : target.host,
  }
  const fill = (text: string): string =>
    text.replaceAll(/\$\{\{\s*([\w.]+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole)
  return {
    url: fill(rule.url),
    status: rule.status,
    ...(rule.contains === undefined ? {} : { contains: fill(rule.contains) }),
  }
}

/** True when every target is asked for itself. */
export function isAskedPerTarget(rule: HealthRule): boolean {
  return /\$\{\{\s*target\./.test(rule.url)
}

/** What is wrong with an answer, as a sentence; undefined when it is healthy. */
export function healthProblem(question: HealthQuestion, answer: HealthAnswer): string | undefined {
  switch (answer.kind) {
    case 'timeout':
      return 'it did not answer in time'
    case 'unreachable':
      return answer.why === 'ECONNREFUSED'
        ? 'nobody listens there (ECONNREFUSED)'
        : `it could not be reached (${answer.why})`
    case 'reset':
      return `it broke the connection (${answer.why})`
    case 'answer':
      break
  }
  const { status, location, body } = answer
  if (status !== question.status) {
    if (location !== undefined) return `it answered ${status} and redirects to ${location}; redirects are not followed`
    return `it answered ${status} instead of ${question.status}: ${excerpt(body)}`
  }
  if (question.contains === undefined || body.includes(question.contains)) return undefined
  return `it answered ${status}, but the body does not hold "${question.contains}": ${excerpt(body)}`
}

/** Why a deployment is red: the last answer, and what is likely behind it. */
export function unhealthy(fact: {
  readonly url: string
  readonly withinMs: number
  readonly answers: number
  readonly last: string
  /** Where each target is asked for itself: the names of those that were not healthy, the one that is told of first, and how many were asked. */
  readonly unwell?: { readonly names: readonly string[]; readonly of: number }
}): Reason {
  return {
    code: 'HEALTH_FAILED',
    message: `${whereOf(fact.unwell)}${fact.url} was not healthy within ${renderDuration(fact.withinMs)} (${fact.answers} ${fact.answers === 1 ? 'question' : 'questions'}): at last ${fact.last}.`,
    hint: cause(fact.last),
  }
}

/** One of three is a sick host, all of three a sick release. */
function whereOf(unwell: { readonly names: readonly string[]; readonly of: number } | undefined): string {
  if (unwell === undefined || unwell.of < 2) return ''
  const named = unwell.names.slice(0, targetsNamedMax)
  return `${named.join(', ')}${named.length < unwell.names.length ? ' …' : ''} (${unwell.names.length} of ${unwell.of} targets): `
}

function cause(last: string): string {
  if (last.includes('ECONNREFUSED'))
    return 'The program did not start or listens elsewhere: look at its log and at "restart" and "variables" in shipway.yml.'
  if (last.includes('redirects')) return 'Write the address that it redirects to as "health.url".'
  if (last.includes('does not hold')) return 'The old release may still answer: does "restart" start the new one?'
  return 'Look at the log of the program; "health" in shipway.yml says what is asked.'
}

function excerpt(body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim()
  if (text === '') return 'an empty body'
  return `"${text.length > excerptLengthMax ? `${text.slice(0, excerptLengthMax)}…` : text}"`
}

import type { AskingGate, GateAnswer } from './answer.ts'
import type { ReviewGate, SonarQubeGate } from './policy.ts'
import { bringsCommit, countReviews, speaksFor } from './review.ts'
import type { GateFacts, GateResult } from './result.ts'
import type { PullRequest, ReviewCount } from './review.ts'

/** Conditions of a quality gate that a sentence repeats. */
const conditionsMax = 5

/** What the quality gate of the server said about the commit. Anything but OK, or its old WARN, is no pass. */
export function judgeSonarQube(gate: SonarQubeGate, facts: GateFacts): GateResult {
  const answer = facts.answers.find((one) => one.gate === 'sonarqube')
  if (answer?.kind !== 'quality') return withoutAnswer('sonarqube', answer)
  const { conditions, status, project } = answer
  const red = conditions.filter(({ isOk }) => !isOk)
  switch (status) {
    case 'OK':
      return { gate: 'sonarqube', verdict: 'pass', text: `The quality gate of ${project} is green.` }
    case 'WARN':
      return {
        gate: 'sonarqube',
        verdict: 'warn',
        text: `The quality gate of ${project} warns: ${conditionText(red)}.`,
      }
    case 'ERROR':
      return {
        ...fail('sonarqube', `The quality gate of ${project} is red: ${conditionText(red)}.`),
        hint: `See ${gate.url}/dashboard?id=${encodeURIComponent(project)}; repair it, and run again.`,
      }
    case 'NONE':
      return {
        ...fail('sonarqube', `No quality gate was computed for ${project}.`),
        hint: 'Give the project a quality gate in SonarQube, and analyse the commit again.',
      }
  }
}

function conditionText(red: Extract<GateAnswer, { kind: 'quality' }>['conditions']): string {
  const said = red
    .slice(0, conditionsMax)
    .map(({ metric, actual, failsWhen }) =>
      [
        metric,
        actual === undefined ? '' : ` is ${actual}`,
        failsWhen === undefined ? '' : ` (red when ${failsWhen})`,
      ].join(''),
    )
  const more = red.length - said.length
  if (said.length === 0) return 'the server does not say why'
  return `${said.join(', ')}${more === 0 ? '' : ` and ${more} more`}`
}

/** Whether enough people have approved the pull request that ends in the commit. With several, the best one speaks for it. */
export function judgeReview(gate: ReviewGate, facts: GateFacts): GateResult {
  const answer = facts.answers.find((one) => one.gate === 'review')
  if (answer?.kind !== 'reviews') return withoutAnswer('review', answer)
  const { sha, ref } = facts.source
  const short = sha.slice(0, 12)
  const ending = answer.pulls.filter((pull) => bringsCommit(pull, sha))
  const fitting = ending.filter((pull) => speaksFor(gate, pull, ref))
  if (fitting.length === 0) return fail('review', withoutRequest(gate, short, answer.pulls, ending), whereToReview)
  const [best] = fitting
    .map((pull) => countReviews(gate, pull))
    .toSorted((a, b) => worth(b) - worth(a) || b.pull.number - a.pull.number)
  if (best === undefined) return fail('review', `No pull request ends in ${short}.`)
  return judgeCount(gate, best)
}

const whereToReview = 'Bring the commit by a pull request, have it approved, and run again.'

function withoutRequest(
  gate: ReviewGate,
  short: string,
  all: readonly PullRequest[],
  ending: readonly PullRequest[],
): string {
  const [other] = ending
  if (other !== undefined) {
    const wanted = gate.into.length > 0 ? ` into ${gate.into.join(' or ')}` : ' into the branch of the release'
    return `${numberOf(gate, other)} ends in ${short} and goes into ${other.base}; a request${wanted} is asked for.`
  }
  const [inside] = all
  return inside === undefined
    ? `No pull request of ${gate.repository} brings ${short}.`
    : `${short} is in the middle of ${numberOf(gate, inside)} and not its last commit: nobody has approved it as it is.`
}

function judgeCount(gate: ReviewGate, { pull, approvals, objections, ignored }: ReviewCount): GateResult {
  const name = numberOf(gate, pull)
  const left = ignored.length === 0 ? '' : ` (not counted: ${ignored.join('; ')})`
  const where = pull.url === undefined ? whereToReview : `See ${pull.url}, and run again.`
  if (objections.length > 0)
    return fail('review', `${objections.join(', ')} asked for changes in ${name}, and has not approved since.`, where)
  if (approvals.length < gate.approvals) {
    const found = approvals.length === 0 ? 'no approval' : `${approvals.length} of ${gate.approvals} approvals`
    const wanted = approvals.length === 0 ? ` of ${gate.approvals} that are needed` : ''
    return fail('review', `${name} has ${found}${wanted}${left}.`, where)
  }
  return { gate: 'review', verdict: 'pass', text: `${name} was approved by ${approvals.join(', ')}.` }
}

/** Objections weigh more than any number of approvals. */
function worth({ approvals, objections }: ReviewCount): number {
  return objections.length > 0 ? -1 : approvals.length
}

function numberOf({ forge }: ReviewGate, { number }: PullRequest): string {
  return `${forge === 'gitlab' ? '!' : '#'}${number}`
}

/** What a gate says that has nothing to judge. */
function withoutAnswer(gate: AskingGate, answer: GateAnswer | undefined): GateResult {
  switch (answer?.kind) {
    case 'pending':
      return { gate, verdict: 'wait', text: sentence(answer.why) }
    case 'unanswered':
      return { ...fail(gate, answer.problem, answer.hint), code: answer.code }
    default:
      return { gate, verdict: 'wait', text: `${serviceOf[gate]} is asked before anything is touched.` }
  }
}

const serviceOf: Readonly<Record<AskingGate, string>> = { sonarqube: 'SonarQube', review: 'The forge' }

function fail(gate: AskingGate, text: string, hint?: string): GateResult {
  return { gate, verdict: 'fail', text, ...(hint === undefined ? {} : { hint }) }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

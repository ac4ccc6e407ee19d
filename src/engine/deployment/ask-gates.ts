import { KnownError, reportError } from '#core/errors.ts'
import type { AskingGate, GateAnswer, KeptAnswer } from '#core/gate/answer.ts'
import { askingGates, freshAnswers } from '#core/gate/answer.ts'
import type { Evidence } from '#core/gate/evidence.ts'
import type { GatePolicy } from '#core/gate/policy.ts'
import { gateTokenMissing, gateTooLate } from '#core/known/gate.ts'
import { renderDuration } from '#core/project/duration.ts'
import { answersFor, saveAnswer } from '#store/gate-answer.ts'
import type { AnswerPlace } from '#store/gate-answer.ts'
import type { DeliveryContext } from './context.ts'
import { loadSecrets } from './load-secrets.ts'

/** Questions to a service that does not answer, before it counts as unreachable. */
const triesMax = 3
/** First pause between two questions; it doubles up to the second. */
const pauseMsMin = 1000
const pauseMsMax = 15_000

/** What the services are asked about. */
export interface GateSubject {
  readonly place: Pick<AnswerPlace, 'environment'>
  readonly application: string
  readonly gates: GatePolicy
  readonly source: { readonly sha: string; readonly ref: string }
  readonly evidence: readonly Evidence[]
  /** Tickets whose secrets are good here. */
  readonly tickets: readonly string[]
}

/** The same, and for whom. */
export interface GateQuestion extends GateSubject {
  readonly place: AnswerPlace
  /** Absent for a job whose run has sealed nothing. */
  readonly release?: string
  /** Answers from before do not count. */
  readonly from?: number
  /** An answer is not there yet; why is in the store. */
  readonly onPending?: () => Promise<void>
  /** Nobody waits for the answer any more. */
  readonly isStopped: () => Promise<boolean>
}

/** What asking needs of the world. */
export type GateServices = Pick<DeliveryContext, 'askQuality' | 'askReviews'> & {
  readonly files: Pick<DeliveryContext['files'], 'readText'>
}

/**
 * Asks the services of all gates once and keeps nothing: what they say now, for somebody who only looks. One that does not answer is no refusal
 * yet, because a deployment would ask it again. Never throws for the signal: what took too long is not answered.
 */
export async function askGatesOnce(
  services: GateServices,
  subject: GateSubject,
  signal: AbortSignal,
): Promise<readonly GateAnswer[]> {
  const due = askingGates.filter((gate) => subject.gates[gate] !== undefined)
  return Promise.all(
    due.map(async (gate) => {
      const asked = await askOnce(services, subject, gate, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
        return {
          answer: { gate, kind: 'pending', why: `It took too long to ask for ${gate}.` } as const,
          mayRetry: true,
        }
      })
      const { answer } = asked
      if (!asked.mayRetry || answer.kind === 'quality' || answer.kind === 'reviews') return answer
      const why = answer.kind === 'pending' ? answer.why : answer.problem
      return { gate, kind: 'pending', why: `${why} A deployment asks again.` } as const
    }),
  )
}

/**
 * Asks the services of all gates that have no answer, until each has one, and keeps what they say. What is not ready is asked again until the
 * gate's time is over, counted from the first question, also across a restart of the agent. Throws only the signal's reason.
 */
export async function askGates(context: DeliveryContext, question: GateQuestion, signal: AbortSignal): Promise<void> {
  const { from = 0 } = question
  const kept = (await answersFor(context.store.query, question.place)).filter(({ at }) => at >= from)
  const now = context.clock.now()
  const settled = freshAnswers(kept, { now }).filter(({ kind }) => kind !== 'pending')
  const due = askingGates.filter(
    (gate) => question.gates[gate] !== undefined && !settled.some((answer) => answer.gate === gate),
  )
  await Promise.all(
    due.map(async (gate) => {
      const before = kept.find(({ answer }) => answer.gate === gate)
      const since = before?.answer.kind === 'pending' ? before.since : now
      await askUntilAnswered(context, question, { gate, since }, signal)
    }),
  )
}

async function askUntilAnswered(
  context: DeliveryContext,
  question: GateQuestion,
  { gate, since }: { readonly gate: AskingGate; readonly since: number },
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    const asked = await askOnce(context, question, gate, signal)
    failures += asked.mayRetry ? 1 : 0
    const answer = boundedAnswer(question.gates, asked.answer, context.clock.now() - since)
    const isOpen = answer.kind === 'pending' || (asked.mayRetry && failures < triesMax)
    await keep(context, question, { since, at: context.clock.now(), answer: isOpen ? pendingOf(gate, answer) : answer })
    if (!isOpen) return
    await question.onPending?.()
    await context.clock.sleep(pauseMs, signal)
    if (await question.isStopped()) return
  }
}

/** Between two tries the last failure is why it waits. */
function pendingOf(gate: AskingGate, answer: GateAnswer): GateAnswer {
  return answer.kind === 'unanswered' ? { gate, kind: 'pending', why: answer.problem } : answer
}

async function keep(context: DeliveryContext, question: GateQuestion, kept: KeptAnswer): Promise<void> {
  const { place, release } = question
  await context.store.transaction((query) =>
    saveAnswer(query, place, { ...kept, ...(release === undefined ? {} : { release }) }),
  )
  context.notify({ type: 'changed', subject: place.subject })
}

/** Something that is under way for too long is no answer. */
function boundedAnswer(gates: GatePolicy, answer: GateAnswer, waitedMs: number): GateAnswer {
  if (answer.kind !== 'pending') return answer
  const withinMs = gates.sonarqube?.withinMs ?? 0
  if (waitedMs < withinMs) return answer
  const late = gateTooLate({ why: answer.why, within: renderDuration(withinMs), gate: answer.gate })
  return unanswered(answer.gate, late)
}

async function askOnce(
  context: GateServices,
  question: GateSubject,
  gate: AskingGate,
  signal: AbortSignal,
): Promise<{ readonly answer: GateAnswer; readonly mayRetry: boolean }> {
  try {
    const ask = { sonarqube: askSonarQube, review: askForge }[gate]
    return { answer: await ask(context, question, signal), mayRetry: false }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof KnownError)) throw error
    return { answer: unanswered(gate, error), mayRetry: error.retry === 'backoff' }
  }
}

function unanswered(gate: AskingGate, error: KnownError): GateAnswer {
  const { code, message, hint } = reportError(error)
  return { gate, kind: 'unanswered', code, problem: message, ...(hint === undefined ? {} : { hint }) }
}

async function askSonarQube(context: GateServices, question: GateSubject, signal: AbortSignal): Promise<GateAnswer> {
  const { sonarqube: gate } = question.gates
  if (gate === undefined) throw new Error('Invariant broken: no gate asks SonarQube')
  const { sha, ref } = question.source
  const [, pullRequest] = /^refs\/(?:pull|merge-requests)\/(\d+)\//.exec(ref) ?? []
  const branch = gate.branch ?? (ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined)
  const tasks = question.evidence.flatMap((one) =>
    one.kind === 'analysis' && one.project === gate.project ? [one.task] : [],
  )
  const task = tasks.at(-1)
  return context.askQuality(
    {
      url: gate.url,
      project: gate.project,
      token: tokenOf(context, question, { gate: 'sonarqube', token: gate.token }),
      sha,
      ...(branch === undefined ? {} : { branch }),
      ...(pullRequest === undefined ? {} : { pullRequest }),
      ...(task === undefined ? {} : { task }),
    },
    signal,
  )
}

async function askForge(context: GateServices, question: GateSubject, signal: AbortSignal): Promise<GateAnswer> {
  const { review: gate } = question.gates
  if (gate === undefined) throw new Error('Invariant broken: no gate asks the forge')
  const token = tokenOf(context, question, { gate: 'review', token: gate.token })
  return {
    gate: 'review',
    kind: 'reviews',
    pulls: await context.askReviews({ forge: gate, token, ...question.source }, signal),
  }
}

function tokenOf(
  context: Pick<GateServices, 'files'>,
  { application, place, tickets }: GateSubject,
  asked: { readonly gate: AskingGate; readonly token: string },
): string {
  const { environment } = place
  const token = loadSecrets(context, { application, environment, tickets, hasCommon: true })[asked.token]
  if (token === undefined) throw gateTokenMissing({ ...asked, application, environment })
  return token
}

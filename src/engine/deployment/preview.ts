import { environmentWithoutTargets } from '#core/known/environment.ts'
import { planHash } from '#core/deployment/plan.ts'
import { targetPending } from '#core/deployment/reasons.ts'
import { handChanges } from '#core/deployment/plan.ts'
import type { DeploymentPlan, RunningTarget } from '#core/deployment/plan.ts'
import { checkEnvironment, explainEnvironment } from '#core/environment/check.ts'
import type { EnvironmentQuestion, GateName, Verdict } from '#core/environment/check.ts'
import type { GateAnswer } from '#core/gate/answer.ts'
import type { GateResult } from '#core/gate/result.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { DeployRequest } from '#core/ticket/model.ts'
import type { FileDifference, TargetState } from '#ports/deploy-driver.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { Release } from '#core/release/model.ts'
import { loadEnvironment } from '#store/environment.ts'
import { latestEvidence } from '#store/evidence.ts'
import { loadRelease } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { GateSubject } from './ask-gates.ts'
import { authorsOfRelease } from './authors.ts'
import { checkRun, findRelease } from './admit-deploy.ts'
import type { FreshRules } from '../refresh-rules.ts'
import { findEnvironment } from './find-environment.ts'
import { makePlan } from './make-plan.ts'
import { refuseOpenPorts } from './exposed-ports.ts'
import { deploymentQuestion } from './question.ts'
import type { Candidate, QuestionContext } from './question.ts'
import { previewSecrets } from './secret-versions.ts'

/** What a deployment would do, and what the rules say to it now. Nothing was changed to find out. */
export interface DeploymentPreview {
  readonly plan: DeploymentPlan
  /** The same with the name of every file. */
  readonly whole: DeploymentPlan
  /** What an approval of it would be bound to. Absent while a target does not say what it runs. */
  readonly planHash?: string
  readonly config: EnvironmentConfig
  readonly gates: readonly { readonly gate: GateName; readonly verdict: Verdict }[]
  /** What each gate says to the evidence. */
  readonly evidence: readonly GateResult[]
  /** Secrets that have other values than when the release last ran there, a line each; values are no part of the plan. */
  readonly secretChanges: readonly string[]
  /** What other services have said to the gates that ask them; empty where the rules refuse anyway. Never part of the plan. */
  readonly answers: readonly GateAnswer[]
  /** What the rules say together. */
  readonly verdict: Verdict
  readonly targets: readonly { readonly name: string; readonly state: TargetState }[]
}

interface AskedTarget {
  readonly target: TargetConfig
  readonly state: TargetState
  readonly files?: readonly FileDifference[]
}

export interface PreviewContext extends QuestionContext {
  readonly sha256: Sha256
  /** Asks the services of the gates once, for reading only. */
  askGates(subject: GateSubject): Promise<readonly GateAnswer[]>
  /** Asks all targets of an environment what runs there, and which files somebody has changed. */
  inspect(config: EnvironmentConfig, believed: Release | undefined): Promise<readonly AskedTarget[]>
}

/** The same questions that an agent asks before it begins, to the same rows and targets, without a row or a ticket of its own. */
export async function previewDeployment(
  context: PreviewContext,
  query: Query,
  asked: {
    readonly request: DeployRequest
    readonly requestedBy: string
    /** Rules that the deployment would bring into force. */
    readonly rules?: FreshRules | undefined
  },
): Promise<DeploymentPreview> {
  const { request, requestedBy } = asked
  const { application, config } = await findEnvironment(query, request, asked.rules)
  if (config.targets.length === 0) throw environmentWithoutTargets({ environment: config.name })
  await checkRun(query, request)
  const release = await findRelease(query, request, config)
  const run = request.run === undefined ? undefined : await loadRun(query, request.run)
  const { current } = await loadEnvironment(query, application.name, config.name)
  const reports = await context.inspect(config, current === undefined ? undefined : await loadRelease(query, current))
  const running = config.targets.map(({ name }) => runningTarget(reports.find(({ target }) => target.name === name)))
  const input = { mode: request.mode, environment: config, release, running }
  const plan = await makePlan(context.files, query, input)
  const hash = planHash(plan, context.sha256)
  const candidate = {
    id: '(none yet)',
    application: application.name,
    environment: config.name,
    kind: request.mode,
    planHash: hash,
    ...(run === undefined ? {} : { run: run.id }),
    document: {
      isAutomatic: run !== undefined,
      ...(request.isForced === true ? { isForced: true as const } : {}),
      authors: await authorsOfRelease(query, release, requestedBy),
      secretTickets: run === undefined ? [] : [run.ticket],
    },
  }
  const about = { candidate, release, application, config }
  const unasked = await deploymentQuestion(context, query, about)
  const answers = isAnswerAwaited(unasked) ? await answersNow(context, query, about) : []
  const question = answers.length === 0 ? unasked : await deploymentQuestion(context, query, { ...about, answers })
  const rules = checkEnvironment(question)
  const ports = refuseOpenPorts({ kind: 'pass' }, { release, config, files: context.files })
  const isKnown = reports.every(({ state }) => state.kind === 'known')
  return {
    plan,
    whole: await makePlan(context.files, query, { ...input, pathsMax: Number.POSITIVE_INFINITY }),
    ...(isKnown ? { planHash: hash } : {}),
    config,
    gates: [
      ...explainEnvironment(question),
      ...(config.compose?.expose === undefined ? [] : [{ gate: 'ports' as const, verdict: ports }]),
    ],
    evidence: question.facts.gates ?? [],
    answers,
    secretChanges: (await previewSecrets(context, query, { deployment: candidate, release, config })).lines,
    verdict: withTargets(rules.kind === 'refuse' || ports.kind === 'pass' ? rules : ports, reports),
    targets: reports.map(({ target, state }) => ({ name: target.name, state })),
  }
}

/** Nobody is asked about a release that is refused anyway, or that needs no gate any more. */
function isAnswerAwaited(question: EnvironmentQuestion): boolean {
  const isWaiting = explainEnvironment(question).some(
    ({ gate, verdict }) => gate === 'evidence' && verdict.kind === 'wait',
  )
  return isWaiting && checkEnvironment(question).kind !== 'refuse'
}

async function answersNow(
  context: PreviewContext,
  query: Query,
  about: { readonly candidate: Candidate; readonly release: Release; readonly config: EnvironmentConfig },
): Promise<readonly GateAnswer[]> {
  const { candidate, release, config } = about
  if (config.gates === undefined) return []
  return context.askGates({
    place: { environment: config.name },
    application: candidate.application,
    gates: config.gates,
    source: release.manifest.source,
    evidence: (await latestEvidence(query, release.id))?.reports ?? [],
    tickets: candidate.document.secretTickets,
  })
}

function runningTarget(report: AskedTarget | undefined): RunningTarget {
  if (report?.state.kind !== 'known' || report.state.current === undefined) return {}
  const byHand = handChanges(report.files ?? [])
  return { release: report.state.current, ...(byHand === undefined ? {} : { byHand }) }
}

/** A switch of somebody else that is still open on a target is waited for, whatever the rules say. */
function withTargets(verdict: Verdict, reports: Awaited<ReturnType<PreviewContext['inspect']>>): Verdict {
  if (verdict.kind !== 'pass') return verdict
  for (const { target, state } of reports) {
    if (state.kind === 'known' && state.pending !== undefined)
      return { kind: 'wait', reason: targetPending({ target: target.name, ...state.pending }) }
  }
  return verdict
}

import { join } from 'node:path'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import type { ReleaseDifference } from '#core/deployment/plan-difference.ts'
import { exitCodeOf } from '#core/errors.ts'
import type { GateName, Verdict } from '#core/environment/check.ts'
import type { GateResult } from '#core/gate/result.ts'
import { renderDuration } from '#core/project/duration.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { DeployRequest } from '#core/ticket/model.ts'
import type { EnvironmentView, ReleaseSummary } from '#core/view/model.ts'
import { shortDigest } from '#core/view/name.ts'
import { planLines } from '#core/view/plan-lines.ts'
import { askGatesOnce } from '#engine/deployment/ask-gates.ts'
import { previewDeployment } from '#engine/deployment/preview.ts'
import type { DeploymentPreview, PreviewContext } from '#engine/deployment/preview.ts'
import { freshRules, rulesAskedBy } from '#engine/refresh-rules.ts'
import { exitOfChange } from './exit-code.ts'
import { whoAmI } from './identity.ts'
import { mark } from './live/mark.ts'
import { readFilledHome } from './open-home.ts'
import { keepPlan, readText, sha256 } from './plan-file.ts'
import type { Session } from './session.ts'

/** Time that all targets together may take to answer, and to compare the files that they serve. Milliseconds. */
const inspectMsMax = 10 * 60_000

/** Time that services of gates together may take, with all the calls that they need. Milliseconds. */
const answersMsMax = 5 * 60_000

export interface DryRun {
  readonly request: DeployRequest
  /** `Deploy v1.4.2 of web to production, which runs v1.4.1`. */
  readonly title: string
  readonly environment: EnvironmentView
  readonly release: ReleaseSummary | undefined
  /** Names every file, and says how to apply it: `plan-deploy`. */
  readonly isWhole?: boolean
  /** 9 when something would change, 0 when not, whatever waits. */
  readonly hasExitCode?: boolean
}

/**
 * Prints what a deployment would do: asks the targets, plans, asks the rules, and changes nothing. The exit status says what the rules
 * would say now, as that of the real call would: 3 when they could only refuse, 5 when a target does not answer, 8 when it would wait.
 */
export async function showDryRun(session: Session, dry: DryRun): Promise<number> {
  const { request } = dry
  const preview = await readFilledHome(session, async (q) => {
    const place = await rulesAskedBy(q, request)
    const rules = place === undefined ? undefined : await freshRules(session.services, q, place)
    const asked = { request, requestedBy: whoAmI(session.world), rules }
    return previewDeployment(previewContext(session, request.application), q, asked)
  })
  const { plan, whole, planHash, verdict, gates, targets } = preview
  if (planHash !== undefined) keepPlan(session.home, planHash, plan)
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'DeploymentPlan',
      mode: dry.request.mode,
      environment: dry.environment,
      release: dry.release ?? null,
      plan,
      planHash: planHash ?? null,
      isChanged: isChanged(plan),
      files: whole.differences.map(filesOf),
      verdict,
      gates: gates.map((gate) => ({ name: gate.gate, ...gate.verdict })),
      evidence: preview.evidence,
      answers: preview.answers,
      secretChanges: preview.secretChanges,
      targets,
    })
  } else if (session.isQuiet) session.print(planHash ?? '')
  else session.print([dry.title, ...renderPreview(session, dry, preview).map((line) => `  ${line}`)].join('\n'))
  // In the order in which the real call would meet them.
  if (verdict.kind === 'refuse') return exitCodeOf.refused
  if (targets.some(({ state }) => state.kind === 'unknown')) return exitCodeOf.unreachable
  if (dry.hasExitCode === true) return isChanged(plan) ? exitOfChange : 0
  return verdict.kind === 'wait' ? exitCodeOf.waiting : 0
}

/** Anything that is not there already: a release put again where it runs as it was deployed changes nothing. */
function isChanged({ targets, release, differences }: DeploymentPlan): boolean {
  return (
    targets.some(({ from, byHand }) => from !== release || byHand !== undefined) ||
    differences.some(({ variables }) => variables.length > 0)
  )
}

function filesOf({ from, added, changed, removed, newBytes }: ReleaseDifference): unknown {
  return { from: from ?? null, added: added.first, changed: changed.first, removed: removed.first, newBytes }
}

function previewContext(session: Session, application: string): PreviewContext {
  const { askQuality, askReviews } = session.services
  const files: PreviewContext['files'] = { readText: (path, bytesMax) => readText(join(session.home, path), bytesMax) }
  return {
    clock: { now: session.world.now },
    files,
    sha256,
    // Each call that it makes has a time of its own.
    askGates: async (subject) =>
      askGatesOnce({ askQuality, askReviews, files }, subject, AbortSignal.timeout(answersMsMax)),
    // The paths of its targets are absolute already.
    inspect: async (config, believed) => {
      const place = {
        projectRoot: '/',
        home: session.home,
        isDeep: true,
        ...(believed === undefined ? {} : { believed }),
      }
      return session.services.inspectTargets(application, config, place, AbortSignal.timeout(inspectMsMax))
    },
  }
}

function renderPreview(session: Session, dry: DryRun, preview: DeploymentPreview): readonly string[] {
  const { plan, whole, planHash, gates, targets, config } = preview
  const unknown = new Map(
    targets.flatMap(({ name, state }) => (state.kind === 'unknown' ? [[name, state.why] as const] : [])),
  )
  const serving = new Map(
    targets.flatMap(({ name, state }) =>
      state.kind === 'known' && state.serving !== undefined ? [[name, state.serving] as const] : [],
    ),
  )
  return [
    ...(dry.isWhole === true
      ? planLines(whole, { unknown, serving, pathsShown: Number.POSITIVE_INFINITY })
      : planLines(plan, { unknown, serving })),
    ...preview.secretChanges.map((line) => `secrets    ${line}`),
    ...gates.flatMap(({ gate, verdict }) => gateLine(session, { gate, verdict, config })),
    ...preview.evidence.map((result) => evidenceLine(session, result)),
    ...(planHash === undefined ? [] : [`plan       ${planHash}`]),
    ...(planHash === undefined || dry.isWhole !== true ? [] : [applyLine(preview, planHash)]),
  ]
}

/** The call that applies the plan; where it would only be refused, which rules say so instead, and what to do about the first. */
function applyLine({ plan, gates, verdict }: DeploymentPreview, planHash: string): string {
  const { mode, environment } = plan
  if (verdict.kind !== 'refuse') return `apply      shipway ${mode} ${environment} --plan ${shortDigest(planHash)}`
  const against = gates.filter((gate) => gate.verdict.kind === 'refuse').map(({ gate }) => gate)
  const { hint } = verdict.reason
  return `apply      no: ${environment} refuses it (${against.join(', ')})${hint === undefined ? '' : `. ${hint}`}`
}

/** The figures behind the rule `evidence`. */
function evidenceLine({ out }: Session, { gate, verdict, text }: GateResult): string {
  const symbol = {
    pass: mark('success', out.paint),
    warn: out.paint('yellow', '!'),
    fail: mark('failure', out.paint),
    wait: out.paint('yellow', '⏳'),
  }[verdict]
  return `evidence   ${symbol} ${gate}: ${text}`
}

/** Rules that are set are shown either way, the others only where they stand in the way. */
function gateLine(
  { out }: Session,
  { gate, verdict, config }: { gate: GateName; verdict: Verdict; config: EnvironmentConfig },
): readonly string[] {
  if (verdict.kind === 'pass') {
    const passed = passedSentence(gate, config)
    return passed === undefined ? [] : [`gate       ${mark('success', out.paint)} ${gate}: ${passed}`]
  }
  const symbol = verdict.kind === 'wait' ? out.paint('yellow', '⏳') : mark('failure', out.paint)
  return [`gate       ${symbol} ${gate}: ${verdict.reason.message}`]
}

function passedSentence(gate: GateName, config: EnvironmentConfig): string | undefined {
  if (gate === 'from' && config.from.length > 0) return `its ref is one of ${config.from.join(', ')}`
  if (gate === 'after' && config.after.length > 0)
    return `${config.after.join(', ')} verified it, or it ran here before`
  if (gate === 'soak' && config.soakMs !== undefined)
    return `${config.after.join(', ')} has run it for ${renderDuration(config.soakMs)}`
  if (gate === 'freeze' && (config.freeze ?? []).length > 0) return 'no window is open'
  if (gate === 'secrets' && config.secrets.length > 0) return `${config.secrets.join(', ')} are there`
  if (gate === 'ports') return `beyond loopback only ${config.compose?.expose?.join(', ') ?? ''} may publish ports`
  if (gate === 'approvals' && config.approvals !== undefined) return 'nobody has to say yes any more'
  return undefined
}

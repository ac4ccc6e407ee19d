import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodeOf } from '#core/errors.ts'
import type { GateName, Verdict } from '#core/environment/check.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { DeployRequest } from '#core/ticket/model.ts'
import type { EnvironmentView, ReleaseSummary } from '#core/view/model.ts'
import { planLines } from '#core/view/plan-lines.ts'
import { previewDeployment } from '#engine/deployment/preview.ts'
import type { DeploymentPreview, PreviewContext } from '#engine/deployment/preview.ts'
import { freshRules, rulesAskedBy } from '#engine/refresh-rules.ts'
import { whoAmI } from './identity.ts'
import { mark } from './live/mark.ts'
import { readFilledHome } from './open-home.ts'
import type { Session } from './session.ts'

/** Time that all targets together may take to answer. Milliseconds. */
const inspectMsMax = 30_000

export interface DryRun {
  readonly request: DeployRequest
  /** `Deploy v1.4.2 of web to production, which runs v1.4.1`. */
  readonly title: string
  readonly environment: EnvironmentView
  readonly release: ReleaseSummary | undefined
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
  const { plan, planHash, verdict, gates, targets } = preview
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'DeploymentPlan',
      mode: dry.request.mode,
      environment: dry.environment,
      release: dry.release ?? null,
      plan,
      planHash: planHash ?? null,
      verdict,
      gates: gates.map((gate) => ({ name: gate.gate, ...gate.verdict })),
      targets,
    })
  } else session.print([dry.title, ...renderPreview(session, preview).map((line) => `  ${line}`)].join('\n'))
  // In the order in which the real call would meet them.
  if (verdict.kind === 'refuse') return exitCodeOf.refused
  if (targets.some(({ state }) => state.kind === 'unknown')) return exitCodeOf.unreachable
  return verdict.kind === 'wait' ? exitCodeOf.waiting : 0
}

function previewContext(session: Session, application: string): PreviewContext {
  return {
    clock: { now: session.world.now },
    files: { readText: (path, bytesMax) => readText(join(session.home, path), bytesMax) },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    // The paths of its targets are absolute already.
    inspect: async (config, believed) => {
      const place = { projectRoot: '/', home: session.home, ...(believed === undefined ? {} : { believed }) }
      return session.services.inspectTargets(application, config, place, AbortSignal.timeout(inspectMsMax))
    },
  }
}

function readText(path: string, bytesMax = Number.POSITIVE_INFINITY): string | undefined {
  try {
    const text = readFileSync(path)
    return text.length > bytesMax ? undefined : text.toString('utf8')
  } catch {
    return undefined
  }
}

function renderPreview(session: Session, preview: DeploymentPreview): readonly string[] {
  const { plan, planHash, gates, targets, config } = preview
  const unknown = new Map(
    targets.flatMap(({ name, state }) => (state.kind === 'unknown' ? [[name, state.why] as const] : [])),
  )
  return [
    ...planLines(plan, unknown),
    ...gates.flatMap(({ gate, verdict }) => gateLine(session, { gate, verdict, config })),
    ...(planHash === undefined ? [] : [`plan       ${planHash}`]),
  ]
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
  if (gate === 'secrets' && config.secrets.length > 0) return `${config.secrets.join(', ')} are there`
  if (gate === 'ports') return `beyond loopback only ${config.compose?.expose?.join(', ') ?? ''} may publish ports`
  if (gate === 'approvals' && config.approvals !== undefined) return 'nobody has to say yes any more'
  return undefined
}

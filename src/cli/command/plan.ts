import { hasErrors, renderDiagnostic } from '#core/diagnostic.ts'
import type { Json } from '#core/json.ts'
import { mergePlatforms } from '#core/plan/platform.ts'
import type { PlatformRules } from '#core/plan/platform.ts'
import type { JobPlan, WorkflowPlan } from '#core/plan/plan-workflow.ts'
import { filesInvalid } from '#core/known/cli.ts'
import { noWorkflowFiles } from '#core/known/home.ts'
import { isWantedLeg } from '#core/run/select-legs.ts'
import { matchTrigger } from '#core/trigger/match-trigger.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { isSelected, jobIdAt } from '#core/run/place.ts'
import { linkCalls } from '#core/workflow/link-calls.ts'
import type { LinkedWorkflow, ReadCalled } from '#core/workflow/link-calls.ts'
import { planRequest } from '#engine/plan-request.ts'
import { checkMatrix } from '#engine/check-matrix.ts'
import { linkProblem } from '#engine/link-workflow.ts'
import { unreachable } from '#core/unreachable.ts'
import { workflowFolders } from '#engine/load-workflows.ts'
import { shortRef } from '#core/view/name.ts'
import { readCalledAt, readCalledFrom, readStoredRemote } from '../called-workflows.ts'
import type { CommandPage } from '../command.ts'
import { findProject } from '../project.ts'
import { prepareRun } from '../run-request.ts'
import type { RunFlags } from '../run-request.ts'
import type { Session } from '../session.ts'
import { readWorkflows, readWorkflowsAt } from '../workflow-source.ts'
import type { WorkflowFile } from '../workflow-source.ts'
import type { Palette } from '../palette.ts'
import { comingTimes, renderComing } from '../plan-schedule.ts'
import type { ComingTimes } from '../plan-schedule.ts'
import { exactTime } from '../time.ts'
import { addEventFlags } from './event-flags.ts'

/** `--exit-code`: something would run. Not 2, which means a wrong call. */
const exitWouldRun = 9

interface Flags extends RunFlags {
  readonly exitCode?: boolean
}

export const page: CommandPage = {
  description:
    'Shows which workflows and jobs would run for an event, in which order and in how many legs, and why the others would not. Runs nothing and writes nothing.',
  examples: [
    { command: 'shipway plan', purpose: 'for a push of this commit' },
    {
      command: 'shipway plan pull_request --changed-files docs/a.md',
      purpose: 'for a pull request that changes one file',
    },
    { command: 'shipway plan push --ref refs/tags/v1.4.2 --json', purpose: 'for a tag, as JSON' },
  ],
  exits: [0, 2, 9],
  define: (command, act) => {
    addEventFlags(command)
    command.option('--exit-code', 'end with 9 when something would run').action(act(showPlan))
  },
}

/** Also what `shipway run --dry-run` does. */
export async function showPlan(session: Session, event: string | undefined, flags: Flags): Promise<number> {
  const { request, facts, remarks } = await prepareRun(session, event, flags, { secretNames: [], takesSnapshot: false })
  for (const remark of remarks) session.say(remark)
  const { sha } = request.event
  const isOtherCommit = sha !== facts.sha
  const files = isOtherCommit
    ? await readWorkflowsAt(session.services.git, { root: facts.root, sha }, request.workflows)
    : await readWorkflows(facts.root, session.directory, flags.workflow)
  if (files.length === 0) throw noWorkflowFiles({ sha, folders: workflowFolders })
  throwWhenInvalid(files)
  const remote = readStoredRemote(session)
  const read = isOtherCommit
    ? readCalledAt(session.services.git, { root: facts.root, sha }, remote)
    : readCalledFrom(facts.root, remote)
  const linked = await Promise.all(withJob(files, request.job).map(async (file) => linkFile(file, read)))
  const project = await findProject(facts.root)
  const rules: PlatformRules = {
    platforms: mergePlatforms(project?.parsed.value?.platforms ?? {}, request.platforms),
    machine: session.world.machine,
  }
  const environments = project?.parsed.value?.environments.map(({ name }) => name)
  checkMatrix(
    linked.filter(({ workflow }) => matchTrigger(workflow, request.event).matches),
    request,
    environments,
  )
  const plans = linked.map((one) => planOf(one, request, { environments, platforms: rules }))
  const models = linked.map(({ workflow }) => workflow)
  const view = { request, plans, schedules: comingTimes(models, request.event, session.world.now()) }
  if (session.isJson) session.printJson(planDocument(view))
  else session.world.stdout.write(renderPlan(view, session.out))
  return flags.exitCode === true && plans.some((plan) => plan.verdict.matches) ? exitWouldRun : 0
}

/** The workflows that have the job; all of them when no job is asked for, or none has it (which is an error with all names). */
function withJob(files: readonly WorkflowFile[], job: string | undefined): readonly WorkflowFile[] {
  const [first] = (job ?? '').split(/[./]/)
  const having = files.filter(
    ({ parsed }) => job === undefined || parsed.value?.jobs.some(({ id }) => id === first?.trim()),
  )
  return having.length === 0 ? files : having
}

async function linkFile({ text, parsed }: WorkflowFile, read: ReadCalled): Promise<LinkedWorkflow> {
  const model = parsed.value
  if (model === undefined) throw new Error('Invariant broken: a workflow with mistakes is planned')
  const linked = await linkCalls(model, read)
  if (linked.value === undefined) throw linkProblem(linked, { text, model })
  return linked.value
}

function throwWhenInvalid(files: readonly WorkflowFile[]): void {
  const wrong = files.filter(({ parsed }) => hasErrors(parsed.diagnostics))
  if (wrong.length === 0) return
  const errors = wrong.flatMap(({ text, parsed }) =>
    parsed.diagnostics.filter(({ severity }) => severity === 'error').map((one) => renderDiagnostic(one, text)),
  )
  throw filesInvalid({ files: wrong.map(({ file }) => file), errors: errors.length, details: errors })
}

function planOf(
  linked: LinkedWorkflow,
  request: RunRequest,
  project: { readonly environments: readonly string[] | undefined; readonly platforms: PlatformRules },
): WorkflowPlan {
  const { plan, only } = planRequest(linked, request, project.environments, project.platforms)
  return { ...plan, jobs: wantedJobs(plan.jobs, { request, only, call: '' }) }
}

/** What `--job` and `--matrix` leave. */
function wantedJobs(
  jobs: readonly JobPlan[],
  wanted: { readonly request: RunRequest; readonly only: readonly string[] | undefined; readonly call: string },
): readonly JobPlan[] {
  const { request, only, call } = wanted
  return jobs
    .filter(({ id }) => isSelected(only, jobIdAt({ call, id })))
    .map((job) => {
      const { calls, id, ...own } = withWantedLegs(job, request)
      if (calls === undefined) return { id, ...own }
      const nested = wantedJobs(calls.jobs, { request, only, call: jobIdAt({ call, id }) })
      return { id, ...own, calls: { ...calls, jobs: nested } }
    })
}

/** What `--matrix` leaves of a job. */
function withWantedLegs(job: JobPlan, { matrix = [] }: RunRequest): JobPlan {
  const { decision } = job
  if (decision.kind !== 'legs') return job
  const legs = decision.legs.filter((leg) => isWantedLeg(leg.matrix, matrix))
  if (legs.length > 0) return { ...job, decision: { kind: 'legs', legs } }
  return { ...job, decision: { kind: 'skipped', reason: 'No leg of the matrix matches what --matrix asks for.' } }
}

interface PlanView {
  readonly request: RunRequest
  readonly plans: readonly WorkflowPlan[]
  readonly schedules: ReadonlyMap<string, readonly ComingTimes[]>
}

function renderPlan({ request, plans, schedules }: PlanView, palette: Palette): string {
  const { event } = request
  const lines = [
    `${palette.paint('bold', event.name)} of ${shortRef(event.ref)} at ${event.sha.slice(0, 7)}${request.dirty ? ' (a snapshot of uncommitted changes)' : ''}`,
  ]
  for (const plan of plans) {
    lines.push('')
    if (!plan.verdict.matches) {
      lines.push(
        `${palette.paint('dim', '-')} ${plan.file}  ${palette.paint('dim', `does not run: ${plan.verdict.reason}`)}`,
      )
      continue
    }
    lines.push(`${palette.paint('green', '▶')} ${palette.paint('bold', plan.name)}  ${palette.paint('dim', plan.file)}`)
    lines.push(...(schedules.get(plan.file) ?? []).map((one) => `  ${palette.paint('dim', renderComing(one))}`))
    lines.push(...jobLines(plan.jobs, '  ', palette))
  }
  const count = plans.filter((plan) => plan.verdict.matches).length
  lines.push(
    '',
    count === 0
      ? 'Nothing would run.'
      : `${count} of ${plans.length} ${plans.length === 1 ? 'workflow' : 'workflows'} would run.`,
  )
  return `${lines.join('\n')}\n`
}

function jobLines(jobs: readonly JobPlan[], indent: string, palette: Palette): readonly string[] {
  return jobs.flatMap((job) => {
    const own = `${indent}${'  '.repeat(job.level)}`
    const line = `${own}${jobLine(job, palette)}`
    if (job.calls === undefined) return [line]
    const calls = palette.paint('dim', `  calls ${job.calls.file}`)
    return [`${line}${calls}`, ...jobLines(job.calls.jobs, `${own}    `, palette)]
  })
}

function jobLine(job: JobPlan, { paint }: Palette): string {
  const needs = job.needs.length === 0 ? '' : paint('dim', `  after ${job.needs.join(', ')}`)
  const { decision } = job
  switch (decision.kind) {
    case 'skipped':
      return `${paint('dim', '-')} ${job.id}  ${paint('dim', `skipped: ${decision.reason}`)}`
    case 'undecided':
      return `${paint('yellow', '?')} ${job.id}${needs}  ${paint('dim', decision.reason)}`
    case 'legs': {
      const names = decision.legs.map((leg) => leg.name)
      const isPlain = names.length === 1 && names[0] === job.id
      const legs = isPlain ? '' : names.length === 1 ? `  "${names[0]}"` : `  ${names.length} legs: ${names.join(', ')}`
      const environment = decision.legs[0]?.environment?.name
      return `${paint('green', '✓')} ${job.id}${needs}${legs}${environment === undefined ? '' : paint('dim', `  in ${environment}`)}`
    }
    case 'invalid':
      return `${paint('red', '✗')} ${job.id}${needs}  ${decision.reason}`
    default:
      return unreachable(decision)
  }
}

function planDocument({ request, plans, schedules }: PlanView): Json {
  const { event } = request
  return {
    apiVersion: 'v1',
    kind: 'Plan',
    event: { name: event.name, ref: event.ref, sha: event.sha, dirty: request.dirty },
    items: plans.map((plan) => ({
      file: plan.file,
      name: plan.name,
      runs: plan.verdict.matches,
      reason: plan.verdict.matches ? null : plan.verdict.reason,
      ...(event.name === 'schedule' ? { schedules: (schedules.get(plan.file) ?? []).map(comingDocument) } : {}),
      jobs: plan.jobs.map(jobFields),
    })),
  }
}

function jobFields(job: JobPlan): Json {
  return {
    id: job.id,
    needs: job.needs,
    level: job.level,
    decision: job.decision.kind,
    reason: 'reason' in job.decision ? job.decision.reason : null,
    legs: legsOf(job),
    ...(job.calls === undefined ? {} : { calls: { file: job.calls.file, jobs: job.calls.jobs.map(jobFields) } }),
  }
}

function comingDocument({ cron, timezone, next }: ComingTimes): Json {
  return { cron, timezone: timezone ?? null, next: next.map((at) => exactTime(at)) }
}

function legsOf(job: JobPlan): Json {
  if (job.decision.kind !== 'legs') return []
  return job.decision.legs.map((leg) => ({
    name: leg.name,
    matrix: leg.matrix,
    environment: leg.environment?.name ?? null,
    platform: leg.image === undefined ? 'host' : `docker:${leg.image}`,
  }))
}

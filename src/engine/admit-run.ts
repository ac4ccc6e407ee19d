import { noWorkflowTriggered } from '#core/known/home.ts'
import { projectInvalid } from '#core/known/project.ts'
import { releaseTagMalformed } from '#core/known/release.ts'
import { workflowInvalid } from '#core/known/run.ts'
import { hasErrors, renderDiagnostic } from '#core/diagnostic.ts'
import { parseActionLock } from '#core/action/lock.ts'
import type { ActionOrigin } from '#core/action/lock.ts'
import { mergePlatforms } from '#core/plan/platform.ts'
import type { Machine } from '#core/plan/platform.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { workflowConcurrency } from '#core/plan/concurrency.ts'
import { evaluateText } from '#core/expression/template.ts'
import { isJsonObject } from '#core/json.ts'
import type { JsonObject } from '#core/json.ts'
import type { RunDocument } from '#core/run/state.ts'
import { initialJobs } from '#core/run/state.ts'
import { selectJobs } from '#core/run/select-jobs.ts'
import type { EventFacts, RunRequest } from '#core/ticket/model.ts'
import { dispatchInputs, inputTexts } from '#core/trigger/dispatch-input.ts'
import { githubContext } from '#core/trigger/github-context.ts'
import { matchTrigger } from '#core/trigger/match-trigger.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import { malformedTag } from '#core/release/version.ts'
import { plainLine } from '#core/view/plain-line.ts'
import { appendEvent } from '#store/event.ts'
import { insertJobs } from '#store/job.ts'
import { insertRun, nextRunNumber } from '#store/run.ts'
import type { DefaultBranch } from '#ports/git.ts'
import type { Query } from '#ports/sql-driver.ts'
import { readComponentVersions, versionVariables } from './component-versions.ts'
import type { ComponentVersions } from './component-versions.ts'
import type { AgentContext } from './context.ts'
import type { TicketOf } from './delivery.ts'
import { projectFile } from './deployment/seal-release.ts'
import { checkMatrix } from './check-matrix.ts'
import { linkWorkflow } from './link-workflow.ts'
import { loadCommit } from './load-workflows.ts'
import type { LoadedCommit } from './load-workflows.ts'

/** What a run ticket will become, worked out before the transaction: reading and parsing take their time, the store must not wait. */
export interface PreparedRuns {
  /** With all that they call. */
  readonly models: readonly LinkedWorkflow[]
  readonly commit: LoadedCommit
  readonly actions: ActionOrigin
  /** The rules of the commit are those that count from now on. */
  readonly isInForce: boolean
  /** Versions that the files of the commit say. */
  readonly versions: ComponentVersions
  /** `platforms` of the commit's shipway.yml. */
  readonly platforms: Readonly<Record<string, string>>
  /** `containers.pull: always` of the same. */
  readonly pullsAlways?: boolean
  /** Name of the default branch; not asked for where nothing but caches depends on it. */
  readonly defaultBranch?: string
  /** Those of the commit's shipway.yml. */
  readonly environments?: readonly string[]
  /** The commit's shipway.yml. */
  readonly project?: ProjectConfig
}

/** Reads the commit and finds the workflows that answer to the event. Throws a known error when there is nothing to run. */
export async function prepareRuns(
  context: Pick<AgentContext, 'git' | 'files' | 'actions'>,
  request: RunRequest,
): Promise<PreparedRuns> {
  const commit = await loadCommit(context, request.repository, request.event.sha, request.workflows)
  const invalid = commit.workflows.filter((workflow) => workflow.model === undefined || hasErrors(workflow.diagnostics))
  if (invalid.length > 0) {
    const details = invalid.flatMap(({ text, diagnostics }) =>
      diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, text)),
    )
    throw workflowInvalid({ files: invalid.map(({ file }) => file), details })
  }
  const project = checkProject(commit.project, request.application)
  const actions = actionOrigin(commit, project)
  const environments = project?.environments.map(({ name }) => name)
  const models: LinkedWorkflow[] = []
  const reasons: string[] = []
  const { repository, event } = request
  for (const { file, text, model } of commit.workflows) {
    if (model === undefined) continue
    const verdict = matchTrigger(model, request.event)
    if (verdict.matches)
      models.push(await linkWorkflow(context, { repository, sha: event.sha, actions }, { text, model }))
    else reasons.push(`${file}: ${verdict.reason}`)
  }
  if (models.length === 0) throw noWorkflowTriggered({ event: request.event.name, ref: request.event.ref, reasons })
  checkMatrix(models, request, environments)
  // Before anything is built: a green run that seals nothing would look like a release.
  const tag = malformedTag(event.ref, project?.environments ?? [])
  if (tag !== undefined) throw releaseTagMalformed({ tag })
  const versions = await readComponentVersions(
    context.git,
    { repository, sha: event.sha },
    project?.release.versions ?? [],
  )
  const branch = commit.project === undefined ? undefined : await context.git.defaultBranch(request.repository)
  return {
    models,
    commit,
    actions,
    isInForce: isInForce(branch, request),
    platforms: project?.platforms ?? {},
    versions,
    pullsAlways: project?.pullsAlways === true,
    ...(branch === undefined ? {} : { defaultBranch: branch.name }),
    ...(environments === undefined ? {} : { environments }),
    ...(project === undefined ? {} : { project }),
  }
}

/**
 * Rules are those of the newest commit of the default branch, whatever ref the event names: neither another branch, nor a commit that the branch has
 * left behind, nor a working tree that nobody committed can bring weaker ones.
 */
function isInForce(branch: DefaultBranch | undefined, { event }: RunRequest): boolean {
  return branch?.tips.includes(event.sha) === true
}

/** A run whose `shipway.yml` cannot be read would be green, and nothing would be sealed or deployed. */
function checkProject(text: string | undefined, folderName: string): ProjectConfig | undefined {
  if (text === undefined) return undefined
  const { value, diagnostics } = parseProject({ file: projectFile, text, folderName })
  if (value === undefined) throw projectInvalid({ file: projectFile, text, diagnostics })
  return value
}

/** Writes the runs of a ticket: one for each workflow that answers. Returns their ids. */
export async function insertRuns(
  context: AgentContext,
  query: Query,
  ticket: TicketOf<RunRequest>,
  prepared: PreparedRuns,
): Promise<readonly string[]> {
  const { request } = ticket
  const priority = Number(ticket.priority.slice(1))
  const ids: string[] = []
  for (const linked of prepared.models) {
    const model = linked.workflow
    const id = context.ids.next('run')
    const number = await nextRunNumber(query, request.application)
    const run = {
      id,
      number,
      environments: prepared.environments,
      machine: context.machine,
      platforms: prepared.platforms,
      versions: prepared.versions,
      pullsAlways: prepared.pullsAlways === true,
      ...defaultBranchOf(prepared),
    }
    const document = buildDocument({ request, actions: prepared.actions }, linked, run)
    const title = titleOf(model, document)
    await insertRun(query, {
      id,
      number,
      application: request.application,
      ticket: ticket.id,
      attempt: 1,
      event: request.event.name,
      ref: request.event.ref,
      sha: request.event.sha,
      actor: request.actor,
      workflow: model.name,
      title,
      state: 'running',
      priority,
      document,
    })
    await insertJobs(
      query,
      id,
      initialJobs(document).map((job) => ({ ...job, priority })),
    )
    await appendEvent(
      query,
      { table: 'run', id },
      {
        type: 'run.created',
        number,
        title,
        workflow: model.name,
        event: request.event.name,
        ref: request.event.ref,
        sha: request.event.sha,
      },
    )
    ids.push(id)
  }
  return ids
}

function defaultBranchOf({ defaultBranch }: { readonly defaultBranch?: string }): { readonly defaultBranch?: string } {
  return defaultBranch === undefined ? {} : { defaultBranch }
}

/** What the commit says of actions in other repositories: its lock, and the base url of its `shipway.yml`. */
function actionOrigin({ actionLock }: LoadedCommit, project: ProjectConfig | undefined): ActionOrigin {
  return {
    pins: actionLock === undefined ? {} : parseActionLock(actionLock),
    ...(project?.actionsUrl === undefined ? {} : { baseUrl: project.actionsUrl }),
  }
}

function buildDocument(
  { request, actions }: { readonly request: RunRequest; readonly actions: ActionOrigin },
  linked: LinkedWorkflow,
  run: {
    readonly id: string
    readonly number: number
    readonly environments: readonly string[] | undefined
    readonly machine: Machine
    readonly pullsAlways: boolean
    readonly platforms: Readonly<Record<string, string>>
    readonly versions: ComponentVersions
    readonly defaultBranch?: string
  },
): RunDocument {
  const { workflow: model, calls } = linked
  const only = request.job === undefined ? undefined : selectJobs(linked, request.job)
  const inputs =
    request.event.name === 'workflow_dispatch'
      ? dispatchInputs(model, request.event.inputs ?? {}, run.environments)
      : {}
  const github = githubContext({
    event: { ...request.event, inputs: inputTexts(inputs), payload: payloadFor(model, request.event) },
    repository: request.repositoryName,
    actor: request.actor,
    workflow: { name: model.name, file: model.file },
    run: { id: run.id, number: run.number, attempt: 1 },
    ...defaultBranchOf(run),
  })
  const concurrency = workflowConcurrency(model, { contexts: { github, inputs, vars: request.vars } })
  return {
    workflow: model,
    ...(Object.keys(calls).length === 0 ? {} : { calls }),
    github,
    inputs,
    vars: request.vars,
    env: { ...versionVariables(run.versions), ...request.env },
    ...(Object.keys(run.versions).length === 0 ? {} : { versions: run.versions }),
    secretNames: request.secretNames,
    platforms: mergePlatforms(run.platforms, request.platforms),
    ...(run.pullsAlways ? { pullsAlways: true } : {}),
    machine: run.machine,
    repository: request.repository,
    dirty: request.dirty,
    actions,
    ...(only === undefined ? {} : { only }),
    ...(request.matrix === undefined ? {} : { matrix: request.matrix }),
    ...(request.hasShell === true ? { hasShell: true } : {}),
    ...(concurrency === undefined ? {} : { concurrency }),
  }
}

/** A scheduled run says which schedule it is of; one that was started by hand takes the first. */
function payloadFor({ triggers }: WorkflowModel, { name, payload }: EventFacts): JsonObject {
  const [first] = triggers.flatMap((trigger) => trigger.schedules ?? [])
  return name === 'schedule' && first !== undefined ? { schedule: first.cron, ...payload } : payload
}

/** `run-name` of the workflow, else the first line of the commit's message where the event brings it, else the workflow's name. */
function titleOf(model: WorkflowModel, document: RunDocument): string {
  const { github, inputs, vars } = document
  const written = model.runName === undefined ? '' : evaluateText(model.runName, { contexts: { github, inputs, vars } })
  const title = plainLine(written)
  if (title !== '') return title
  const event = github['event']
  const head = isJsonObject(event) ? event['head_commit'] : undefined
  const message = isJsonObject(head) ? head['message'] : undefined
  return plainLine(typeof message === 'string' ? (message.split('\n')[0] ?? '') : '') || model.name
}

import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { EventFacts } from '#core/ticket/model.ts'
import type { TriggerModel, WorkflowModel } from '#core/workflow/model.ts'
import { compilePattern, ignoresAll, includesSome } from './pattern.ts'
import { refParts } from './ref.ts'

/** What the filters look at. `changedFiles` is absent when the files cannot be told; then path filters let it through. */
export type TriggerEvent = Pick<
  EventFacts,
  'name' | 'ref' | 'baseRef' | 'changedFiles' | 'payload' | 'message' | 'defaultBranch'
>

/** Whether a workflow runs for an event; a no says why in one sentence that names the filter. */
export type Verdict = { readonly matches: true } | { readonly matches: false; readonly reason: string }

/** Activity types of events whose trigger names none (actions-semantics 127). Events that are not here take any. */
const defaultTypes: Readonly<Record<string, readonly string[]>> = {
  pull_request: ['opened', 'synchronize', 'reopened'],
  pull_request_target: ['opened', 'synchronize', 'reopened'],
}

/** Events that GitHub takes from workflow files of the default branch alone (128, 130). */
const defaultBranchEvents: ReadonlySet<string> = new Set(['schedule', 'repository_dispatch', 'workflow_run'])

/** Events whose `paths` filters count; elsewhere GitHub's schema has none (126). */
const pathEvents: ReadonlySet<string> = new Set(['push', 'pull_request', 'pull_request_target'])

/** Changed files that path filters look at (126). */
const changedFilesMax = 300

/** Marks in a commit's message that ask for no run; they count for pushes and pull requests only. */
const skipMarks = ['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[actions skip]']

const yes: Verdict = { matches: true }

/** Whether the workflow runs for the event. All filters of a trigger must let it through (actions-semantics 125–130). */
export function matchTrigger(workflow: Pick<WorkflowModel, 'triggers'>, event: TriggerEvent): Verdict {
  const trigger = workflow.triggers.find((candidate) => candidate.event === event.name)
  if (trigger === undefined) return no(notListening(workflow.triggers, event))
  const mark = skipMarkOf(event)
  if (mark !== undefined) return no(`The message of the commit asks for no run: ${mark}.`)
  const checks = [matchDefaultBranch, matchSchedule, matchTypes, matchWorkflows, matchRef, matchPaths]
  return checks.map((check) => check(trigger, event)).find((verdict) => !verdict.matches) ?? yes
}

function no(reason: string): Verdict {
  return { matches: false, reason }
}

function notListening(triggers: readonly TriggerModel[], event: TriggerEvent): string {
  const names = triggers.map((trigger) => trigger.event).join(', ')
  return names === '' ? 'It has no triggers.' : `It runs on ${names}, not on ${event.name}.`
}

function skipMarkOf(event: TriggerEvent): string | undefined {
  if (event.name !== 'push' && event.name !== 'pull_request') return undefined
  const message = textAt(event.payload, 'head_commit', 'message') ?? event.message ?? ''
  if (endsWithTrailer(message)) return 'skip-checks: true'
  return skipMarks.find((mark) => message.includes(mark))
}

/** `skip-checks: true` as the last of the trailers, which an empty line separates from the text. */
function endsWithTrailer(message: string): boolean {
  const [trailers = '', ...before] = message
    .trimEnd()
    .split(/\r?\n[ \t]*\r?\n/)
    .toReversed()
  const lines = trailers.trimStart().split(/\r?\n/)
  return (
    before.length > 0 &&
    /^skip-checks:[ \t]*true$/i.test(lines.at(-1)?.trimEnd() ?? '') &&
    lines.every((line) => /^[\w-]+:/.test(line))
  )
}

function matchDefaultBranch(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const { ref, defaultBranch } = event
  if (defaultBranch === undefined || !defaultBranchEvents.has(trigger.event)) return yes
  const { type, name } = refParts(ref)
  if (type === 'branch' && name === defaultBranch) return yes
  return no(`"${trigger.event}" runs on the default branch ${defaultBranch} only, not on ${type} "${name}".`)
}

/** The payload of a scheduled run says which of the schedules has come. */
function matchSchedule(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const due = textAt(event.payload, 'schedule')
  if (trigger.event !== 'schedule' || due === undefined) return yes
  const crons = (trigger.schedules ?? []).map(({ cron }) => cron)
  if (crons.includes(due)) return yes
  return no(`"${due}" is none of its schedules: ${crons.join(', ')}.`)
}

function matchTypes(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const types = trigger.types ?? defaultTypes[trigger.event]
  const activity = textAt(event.payload, 'action') ?? dispatchedType(event)
  if (types === undefined || activity === undefined || types.includes(activity)) return yes
  const source = trigger.types === undefined ? 'without "types" it' : '"types"'
  return no(`The activity of the ${event.name} is "${activity}": ${source} takes only ${types.join(', ')}.`)
}

/** Whoever dispatches calls it `event_type`; workflows see it as the activity. */
function dispatchedType({ name, payload }: TriggerEvent): string | undefined {
  return name === 'repository_dispatch' ? textAt(payload, 'event_type') : undefined
}

/** `workflow_run`: the name of the workflow that ran. It is a name and no pattern. */
function matchWorkflows(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const name = textAt(event.payload, 'workflow_run', 'name')
  if (trigger.workflows === undefined || name === undefined || trigger.workflows.includes(name)) return yes
  return no(`The workflow "${name}" is not in "workflows": ${trigger.workflows.join(', ')}.`)
}

function matchRef(trigger: TriggerModel, event: TriggerEvent): Verdict {
  if (event.name === 'push') return matchPush(trigger, event)
  const name = refParts(filteredRef(event)).name
  return matchName({ kind: 'branch', name, include: trigger.branches, ignore: trigger.branchesIgnore })
}

/** The branch that `branches` means: that of the run before, the one that a pull request or a merge group goes to. */
function filteredRef({ name, ref, baseRef, payload }: TriggerEvent): string {
  if (name === 'workflow_run') return textAt(payload, 'workflow_run', 'head_branch') ?? ref
  return baseRef ?? textAt(payload, 'merge_group', 'base_ref') ?? ref
}

/** With filters for branches only, tags do not trigger, and the other way round. */
function matchPush(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const { type, name } = refParts(event.ref)
  const filtersBranches = trigger.branches !== undefined || trigger.branchesIgnore !== undefined
  const filtersTags = trigger.tags !== undefined || trigger.tagsIgnore !== undefined
  if (!event.ref.startsWith('refs/')) {
    if (!filtersBranches && !filtersTags) return yes
    return no(
      `The commit ${name.slice(0, 7)} is of no branch or tag that is known (detached HEAD), and its push filter names some.`,
    )
  }
  if (type === 'tag') {
    if (filtersBranches && !filtersTags) return no(`Tag "${name}" was pushed, and its push filter names only branches.`)
    return matchName({ kind: 'tag', name, include: trigger.tags, ignore: trigger.tagsIgnore })
  }
  if (filtersTags && !filtersBranches) return no(`Branch "${name}" was pushed, and its push filter names only tags.`)
  return matchName({ kind: 'branch', name, include: trigger.branches, ignore: trigger.branchesIgnore })
}

interface NameFilter {
  readonly kind: 'branch' | 'tag'
  readonly name: string
  readonly include: readonly string[] | undefined
  readonly ignore: readonly string[] | undefined
}

function matchName({ kind, name, include, ignore }: NameFilter): Verdict {
  const key = kind === 'branch' ? 'branches' : 'tags'
  const subject = `${kind === 'branch' ? 'Branch' : 'Tag'} "${name}"`
  if (include !== undefined && !includesSome(include.map(compilePattern), [name])) {
    return no(`${subject} is not in "${key}": ${include.join(', ')}.`)
  }
  if (ignore !== undefined && ignoresAll(ignore.map(compilePattern), [name])) {
    return no(`${subject} is in "${key}-ignore": ${ignore.join(', ')}.`)
  }
  return yes
}

/** Paths play no part for tags, nor when the changed files are unknown (a new branch, an unrelated history). */
function matchPaths(trigger: TriggerModel, event: TriggerEvent): Verdict {
  if (refParts(event.ref).type === 'tag' || event.changedFiles === undefined || !pathEvents.has(event.name)) return yes
  const changedFiles = event.changedFiles.slice(0, changedFilesMax)
  if (trigger.paths !== undefined && !includesSome(trigger.paths.map(compilePattern), changedFiles)) {
    const subject =
      changedFiles.length === 1 ? `"${changedFiles[0]}" is not` : `None of the ${countOf(event.changedFiles)} is`
    return no(`${subject} in "paths": ${trigger.paths.join(', ')}.`)
  }
  if (trigger.pathsIgnore !== undefined && ignoresAll(trigger.pathsIgnore.map(compilePattern), changedFiles)) {
    return no(`Every changed file is in "paths-ignore": ${trigger.pathsIgnore.join(', ')}.`)
  }
  return yes
}

function countOf(changedFiles: readonly string[]): string {
  const { length } = changedFiles
  return length > changedFilesMax ? `first ${changedFilesMax} of ${length} changed files` : `${length} changed files`
}

function textAt(value: Json, ...path: readonly string[]): string | undefined {
  let found: Json = value
  for (const key of path) found = isJsonObject(found) ? (found[key] ?? null) : null
  return typeof found === 'string' ? found : undefined
}

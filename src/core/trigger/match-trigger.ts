import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { EventFacts } from '#core/ticket/model.ts'
import type { TriggerModel, WorkflowModel } from '#core/workflow/model.ts'
import { compilePattern, ignoresAll, includesSome } from './pattern.ts'
import { refParts } from './ref.ts'

/** What the filters look at. `changedFiles` is absent when the files cannot be told; then path filters let it through. */
export type TriggerEvent = Pick<EventFacts, 'name' | 'ref' | 'baseRef' | 'changedFiles' | 'payload'>

/** Whether a workflow runs for an event; a no says why in one sentence that names the filter. */
export type Verdict = { readonly matches: true } | { readonly matches: false; readonly reason: string }

/** Activity types of events whose trigger names none (actions-semantics 127). Events that are not here take any. */
const defaultTypes: Readonly<Record<string, readonly string[]>> = {
  pull_request: ['opened', 'synchronize', 'reopened'],
  pull_request_target: ['opened', 'synchronize', 'reopened'],
}

/** Marks in a commit's message that ask for no run; they count for pushes and pull requests only. */
const skipMarks = ['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[actions skip]']

const yes: Verdict = { matches: true }

/** Whether the workflow runs for the event. All filters of a trigger must let it through (actions-semantics 125–130). */
export function matchTrigger(workflow: Pick<WorkflowModel, 'triggers'>, event: TriggerEvent): Verdict {
  const trigger = workflow.triggers.find((candidate) => candidate.event === event.name)
  if (trigger === undefined) return no(notListening(workflow.triggers, event))
  const mark = skipMarkOf(event)
  if (mark !== undefined) return no(`The message of the commit asks for no run: ${mark}.`)
  const checks = [matchTypes, matchWorkflows, matchRef, matchPaths]
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
  const message = textAt(event.payload, 'head_commit', 'message') ?? ''
  if (/\n\s*\nskip-checks:\s*true\s*$/i.test(message)) return 'skip-checks: true'
  return skipMarks.find((mark) => message.includes(mark))
}

function matchTypes(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const types = trigger.types ?? defaultTypes[trigger.event]
  const activity = textAt(event.payload, 'action')
  if (types === undefined || activity === undefined || types.includes(activity)) return yes
  const source = trigger.types === undefined ? 'without "types" it' : '"types"'
  return no(`The activity of the ${event.name} is "${activity}": ${source} takes only ${types.join(', ')}.`)
}

/** `workflow_run`: the name of the workflow that ran. */
function matchWorkflows(trigger: TriggerModel, event: TriggerEvent): Verdict {
  const name = textAt(event.payload, 'workflow_run', 'name')
  if (trigger.workflows === undefined || name === undefined) return yes
  if (includesSome(trigger.workflows.map(compilePattern), [name])) return yes
  return no(`The workflow "${name}" is not in "workflows": ${trigger.workflows.join(', ')}.`)
}

function matchRef(trigger: TriggerModel, event: TriggerEvent): Verdict {
  if (event.name === 'push') return matchPush(trigger, event)
  const name = refParts(event.baseRef ?? event.ref).name
  return matchName({ kind: 'branch', name, include: trigger.branches, ignore: trigger.branchesIgnore })
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
  const { changedFiles } = event
  if (refParts(event.ref).type === 'tag' || changedFiles === undefined) return yes
  if (trigger.paths !== undefined && !includesSome(trigger.paths.map(compilePattern), changedFiles)) {
    const subject =
      changedFiles.length === 1 ? `"${changedFiles[0]}" is not` : `None of the ${changedFiles.length} changed files is`
    return no(`${subject} in "paths": ${trigger.paths.join(', ')}.`)
  }
  if (trigger.pathsIgnore !== undefined && ignoresAll(trigger.pathsIgnore.map(compilePattern), changedFiles)) {
    return no(`Every changed file is in "paths-ignore": ${trigger.pathsIgnore.join(', ')}.`)
  }
  return yes
}

function textAt(value: Json, ...path: readonly string[]): string | undefined {
  let found: Json = value
  for (const key of path) found = isJsonObject(found) ? (found[key] ?? null) : null
  return typeof found === 'string' ? found : undefined
}

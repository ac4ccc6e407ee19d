import { KnownError } from '#core/errors.ts'
import { isImpossible, parseCron, scheduleMinutesMin, shortestGap } from '#core/trigger/cron.ts'
import { dispatchInputsMax } from '#core/trigger/dispatch-input.ts'
import { compilePattern } from '#core/trigger/pattern.ts'
import { isTimeZone } from '#core/trigger/time-zone.ts'
import type { Report } from './report.ts'
import { memberOf, textOf, textsOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'

/** Events whose filters by name may also take names back (`!`). */
const filterNames = ['branches', 'tags', 'paths'] as const

/** What GitHub checks of `on:` on its servers: filters, patterns, schedules, inputs of a start by hand. */
export function checkTriggers(on: SourceNode | undefined, report: Report): void {
  if (on === undefined) return
  const isEmpty = on.kind === 'map' ? on.pairs.length === 0 : on.kind === 'list' && on.items.length === 0
  if (isEmpty)
    report(on.range, 'TRIGGER_INVALID', 'No event starts this workflow: "on" is empty.', 'Write `on: push`, or more.')
  if (on.kind !== 'map') {
    if (textsOf(on).includes('schedule')) missingSchedule(on, report)
    return
  }
  for (const { key, value: trigger } of on.pairs) {
    const event = String(key.value)
    for (const filter of filterNames) checkFilter(event, trigger, { filter, report })
    if (event === 'schedule') checkSchedule(trigger, report)
    if (event === 'workflow_dispatch') checkInputs(memberOf(trigger, 'inputs'), report)
    if (event === 'workflow_run' && textsOf(memberOf(trigger, 'workflows')).length === 0)
      report(
        key.range,
        'TRIGGER_INVALID',
        '"workflow_run" needs "workflows": the names of the workflows that it follows.',
      )
  }
}

function checkFilter(
  event: string,
  trigger: SourceNode,
  { filter, report }: { readonly filter: string; readonly report: Report },
): void {
  const include = memberOf(trigger, filter)
  const ignore = memberOf(trigger, `${filter}-ignore`)
  if (include !== undefined && ignore !== undefined) {
    const hint = `Use "${filter}" with patterns that start with "!" to leave some out.`
    report(
      ignore.range,
      'TRIGGER_INVALID',
      `"${filter}" and "${filter}-ignore" exclude each other in "${event}".`,
      hint,
    )
  }
  checkPatterns(include, report)
  checkPatterns(ignore, report)
  const patterns = textsOf(include)
  if (include !== undefined && patterns.length > 0 && patterns.every((pattern) => pattern.startsWith('!'))) {
    const hint = `Begin with '**' to take all others, or use "${filter}-ignore".`
    report(include.range, 'TRIGGER_INVALID', `"${filter}" only takes back, so nothing fits it.`, hint, 'warning')
  }
}

function checkPatterns(node: SourceNode | undefined, report: Report): void {
  const items = node?.kind === 'list' ? node.items : node === undefined ? [] : [node]
  for (const item of items) {
    try {
      compilePattern(textOf(item) ?? '')
    } catch (error) {
      if (!(error instanceof KnownError)) throw error
      report(item.range, error.code, error.message, error.hint)
    }
  }
}

/** The official parser refuses a text that is no schedule at all; this says what it lets through. */
function checkSchedule(node: SourceNode, report: Report): void {
  if (node.kind !== 'list' || node.items.length === 0) {
    missingSchedule(node, report)
    return
  }
  for (const item of node.items) {
    const zone = memberOf(item, 'timezone')
    const name = textOf(zone)
    if (zone !== undefined && (name === undefined || !isTimeZone(name))) {
      const hint = 'Write a name of the IANA list, such as Europe/Berlin; without it times are UTC.'
      report(zone.range, 'TRIGGER_INVALID', `"${name ?? ''}" is no time zone.`, hint)
    }
    const cron = memberOf(item, 'cron')
    const fields = parseCron(textOf(cron) ?? '')
    if (cron === undefined || typeof fields === 'string') continue
    if (isImpossible(fields))
      report(cron.range, 'TRIGGER_INVALID', `The schedule "${textOf(cron)}" never comes.`, undefined, 'warning')
    const gap = shortestGap(fields)
    if (gap < scheduleMinutesMin) {
      const message = `"${textOf(cron)}" comes every ${gap === 1 ? 'minute' : `${gap} minutes`}: nothing starts more often than every ${scheduleMinutesMin}.`
      report(
        cron.range,
        'TRIGGER_INVALID',
        message,
        `Write '*/${scheduleMinutesMin} * * * *', or less often.`,
        'warning',
      )
    }
  }
}

function missingSchedule(node: SourceNode, report: Report): void {
  const hint = "Write `schedule: [{ cron: '0 3 * * *' }]`."
  report(node.range, 'TRIGGER_INVALID', '"schedule" names no time.', hint)
}

/** Inputs of `workflow_dispatch`: how many, their names, and defaults that fit. */
function checkInputs(inputs: SourceNode | undefined, report: Report): void {
  if (inputs?.kind !== 'map') return
  if (inputs.pairs.length > dispatchInputsMax) {
    const message = `${inputs.pairs.length} inputs are declared; ${dispatchInputsMax} are allowed.`
    report(inputs.range, 'INPUT_INVALID', message)
  }
  for (const { key, value: input } of inputs.pairs) {
    const name = String(key.value)
    if (!/^[A-Za-z_][\w-]*$/.test(name)) {
      const hint = 'Letters, digits, "-" and "_", beginning with a letter or "_".'
      report(key.range, 'INPUT_INVALID', `"${name}" is no name for an input.`, hint)
    }
    checkDefault(name, input, report)
  }
}

function checkDefault(name: string, input: SourceNode, report: Report): void {
  const initial = memberOf(input, 'default')
  const text = textOf(initial)
  if (initial === undefined || text === undefined) return
  const type = textOf(memberOf(input, 'type')) ?? 'string'
  const options = textsOf(memberOf(input, 'options'))
  if (type === 'choice' && options.length > 0 && !options.includes(text)) {
    const message = `The default "${text}" of "${name}" is none of its options.`
    report(initial.range, 'INPUT_INVALID', message, `Options: ${options.join(', ')}.`)
  }
  if (type === 'number' && !Number.isFinite(Number(text)))
    report(initial.range, 'INPUT_INVALID', `The default "${text}" of "${name}" is no number.`)
}

import type {
  DeploymentReceipt,
  DrainReceipt,
  HealthReceipt,
  TargetReceipt,
  TrafficReceipt,
} from '#core/deployment/receipt.ts'
import { renderDuration } from './duration.ts'
import { renderSize } from './size.ts'

/** The receipt in one line: `214 requests, 0 failed · 3 files, 12 kB sent`. Says nothing of what was not measured; then it may be empty. */
export function receiptSummary(receipt: DeploymentReceipt): string {
  const { traffic, targets } = receipt
  const files = sum(targets, (target) => target.sentFiles)
  const bytes = sum(targets, (target) => target.sentBytes)
  const hosts = targets.length > 1 ? ` to ${targets.length} targets` : ''
  return [
    ...(traffic === undefined ? [] : trafficSentence(traffic)),
    ...drainSummary(targets),
    ...(files === undefined ? [] : [files === 0 ? 'nothing to send' : `${sentSentence(files, bytes ?? 0)}${hosts}`]),
    ...(receipt.cannotProve ?? []).map((text) => `cannot prove ${text.replace(/:.*/s, '')}`),
  ].join(' · ')
}

/** The receipt in full, one fact per line: what clients saw, what health said, and what each phase and target took. */
export function receiptLines(receipt: DeploymentReceipt): readonly string[] {
  const { traffic, health, targets } = receipt
  const phases = phaseList(receipt.phases)
  return [
    `took ${milliseconds(receipt.totalMs)}${against(receipt.totalMs, receipt.budgets?.deployMs)}${phases === '' ? '' : `: ${phases}`}`,
    ...(traffic === undefined ? [] : trafficSentence(traffic).map((text) => `${text} at ${traffic.url} meanwhile`)),
    ...(health === undefined
      ? []
      : [
          `${health.url} was asked ${times(health.answers)} in ${milliseconds(health.milliseconds)}: ${health.last}${answerText(health, receipt.budgets?.healthMs)}`,
        ]),
    ...targets.map((target) => `${target.name}: ${targetSentence(target)}`),
    ...(receipt.cannotProve ?? []).map((text) => `cannot prove ${text}`),
  ]
}

function answerText({ answerMs }: HealthReceipt, budgetMs: number | undefined): string {
  return answerMs === undefined ? '' : ` after ${milliseconds(answerMs)}${against(answerMs, budgetMs)}`
}

/** A budget that was exceeded is said aloud: a rollback is not stopped by it. */
function against(tookMs: number, budgetMs: number | undefined): string {
  if (budgetMs === undefined) return ''
  return tookMs > budgetMs ? `, over the budget of ${milliseconds(budgetMs)}` : ` of ${milliseconds(budgetMs)}`
}

/** Where nothing ran before, failures before the first start mean nothing, and so does their number. */
function trafficSentence({ requests, failures, resets, failingMs, hadPrevious }: TrafficReceipt): readonly string[] {
  if (!hadPrevious || requests === 0) return []
  const broken = resets === 0 ? '' : `${resets} ${resets === 1 ? 'connection' : 'connections'} broken`
  const within = failures < 2 ? '' : `within ${milliseconds(failingMs)}`
  const detail = [broken, within].filter((text) => text !== '').join(', ')
  return [`${count(requests, 'request')}, ${failures} failed${detail === '' ? '' : ` (${detail})`}`]
}

function targetSentence({ sentFiles, sentBytes, drained, phases }: TargetReceipt): string {
  const sent =
    sentFiles === undefined ? '' : sentFiles === 0 ? 'nothing to send' : sentSentence(sentFiles, sentBytes ?? 0)
  return (
    [sent, phaseList(phases), drained === undefined ? '' : drainSentence(drained)]
      .filter((text) => text !== '')
      .join('; ') || 'not reached'
  )
}

/** Of all targets together. */
function drainSummary(targets: readonly TargetReceipt[]): readonly string[] {
  const drains = targets.flatMap(({ drained }) => drained ?? [])
  if (drains.length === 0) return []
  return [
    drainSentence({
      workers: drains.reduce((total, { workers }) => total + workers, 0),
      milliseconds: Math.max(...drains.map((drain) => drain.milliseconds)),
      left: drains.reduce((total, { left }) => total + left, 0),
    }),
  ]
}

function drainSentence({ workers, milliseconds: took, left }: DrainReceipt): string {
  if (left === 0) return `${count(workers, 'worker')} drained in ${milliseconds(took)}`
  return `${left} of ${count(workers, 'worker')} still busy after ${milliseconds(took)}: their requests were cut`
}

function sentSentence(files: number, bytes: number): string {
  return `${count(files, 'file')}, ${renderSize(bytes)} sent`
}

function phaseList(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([phase, took]) => `${phase} ${milliseconds(took)}`)
    .join(', ')
}

function milliseconds(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : renderDuration(value)
}

function times(answers: number): string {
  return answers === 1 ? 'once' : `${answers} times`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Undefined when no target was measured. */
function sum(targets: readonly TargetReceipt[], of: (target: TargetReceipt) => number | undefined): number | undefined {
  const values = targets.flatMap((target) => of(target) ?? [])
  return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0)
}

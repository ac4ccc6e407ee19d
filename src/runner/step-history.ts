import { readFileSync, writeFileSync } from 'node:fs'
import type { Frame, JobRun, StepMemory, StepRecord } from './job-run.ts'

/** Notes what a step has left behind. */
export function rememberStep(job: JobRun, step: Omit<StepMemory, 'env' | 'path'>): void {
  job.history.push({ ...step, env: { ...job.env }, path: job.pathAdditions })
}

/**
 * Keeps the memory of a failed job beside its workspace, mode 0600. Values that hold a secret are left out: secrets do not outlive their run.
 */
export function saveHistory(job: JobRun): void {
  const open = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => !job.redactor.hides(value)))
  const steps = job.history.map((step) => ({ ...step, outputs: open(step.outputs), env: open(step.env) }))
  const secret = job.history.flatMap(({ env }) =>
    Object.keys(env).filter((name) => job.redactor.hides(env[name] ?? '')),
  )
  writeFileSync(job.order.paths.history, JSON.stringify({ steps, secret: [...new Set(secret)] }), { mode: 0o600 })
}

/** Brings back what the steps before the first one that runs again have left: outputs, variables, PATH. Their files are in the workspace still. */
export function restoreHistory(job: JobRun, frame: Frame): void {
  const { resume } = job.order
  if (resume === undefined) return
  const kept = JSON.parse(readFileSync(job.order.paths.history, 'utf8')) as {
    readonly steps: readonly StepMemory[]
    readonly secret: readonly string[]
  }
  // Background steps were noted when somebody had waited for them.
  const before = kept.steps.filter(({ index }) => index < resume.index).toSorted((a, b) => a.index - b.index)
  for (const { id, outputs, outcome, conclusion } of before) {
    const record: StepRecord = { outputs: { ...outputs }, outcome, conclusion }
    if (!id.startsWith('__')) frame.steps[id] = record
  }
  const last = before.at(-1)
  Object.assign(job.env, last?.env ?? {})
  job.pathAdditions = last?.path ?? []
  job.history.push(...before)
  const lost = kept.secret.filter((name) => job.env[name] === undefined)
  job.print([
    `The steps before "${resume.name}" are kept from attempt ${resume.attempt}: workspace, outputs, variables and PATH. RUNNER_TEMP is empty.`,
    ...(lost.length === 0 ? [] : [`Not kept, because they held a secret: ${lost.join(', ')}`]),
  ])
}

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createHash, randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { planHashInvalid, planUnknown } from '#core/known/plan.ts'
import { subjectAmbiguous } from '#core/known/cli.ts'
import { readSavedPlan } from '#engine/deployment/saved-plan.ts'

/** The least digits that name a plan. */
const digitsMin = 8

/**
 * Keeps a plan in the home under its hash, so that what applies it can say what has changed since. Where the home cannot be written the hash alone still
 * binds: a plan that is shown must not fail for it.
 */
export function keepPlan(home: string, hash: string, plan: DeploymentPlan): void {
  const file = join(home, homeLayout.plan(hash))
  const unfinished = join(home, homeLayout.tmp, `plan.${randomUUID()}`)
  try {
    for (const path of [file, unfinished]) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(unfinished, canonicalJson(plan as unknown as Json), { mode: 0o600 })
    renameSync(unfinished, file)
  } catch {
    rmSync(unfinished, { force: true })
  }
}

/** The whole hash that the first digits of one mean in this home. All 64 digits need no plan here. */
export function findPlanHash(home: string, text: string, environment: string): string {
  const wanted = text.toLowerCase()
  if (!/^[0-9a-f]+$/.test(wanted) || wanted.length < digitsMin || wanted.length > 64)
    throw planHashInvalid({ plan: text })
  if (wanted.length === 64) return wanted
  const [only, ...others] = savedHashes(home).filter((hash) => hash.startsWith(wanted))
  if (only === undefined) throw planUnknown({ plan: text, environment })
  if (others.length > 0) throw subjectAmbiguous({ text, candidates: [only, ...others] })
  return only
}

/** The plan that this home keeps under a hash. */
export function savedPlan(home: string, hash: string): DeploymentPlan | undefined {
  return readSavedPlan({ files: { readText: (path, bytesMax) => readText(join(home, path), bytesMax) }, sha256 }, hash)
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The text of a file; undefined when it is not there or larger. */
export function readText(file: string, bytesMax = Number.POSITIVE_INFINITY): string | undefined {
  try {
    const text = readFileSync(file)
    return text.length > bytesMax ? undefined : text.toString('utf8')
  } catch {
    return undefined
  }
}

/** Hashes of the plans that were shown in this home. */
export function savedHashes(home: string): readonly string[] {
  try {
    return readdirSync(join(home, homeLayout.plans)).flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? [])
  } catch {
    return []
  }
}

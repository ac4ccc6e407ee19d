import { planHash } from '#core/deployment/plan.ts'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** Larger files are no plans of ours. Bytes. */
const planBytesMax = 4 * 1024 * 1024

/** A plan that was shown in this home; undefined when it is not there, or is not what its name says. */
export function readSavedPlan(
  context: { readonly files: Pick<HomeFiles, 'readText'>; readonly sha256: Sha256 },
  hash: string,
): DeploymentPlan | undefined {
  if (!/^[0-9a-f]{64}$/.test(hash)) return undefined
  const text = context.files.readText(homeLayout.plan(hash), planBytesMax)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value) || value['schema'] !== 'shipway.plan/2') return undefined
  const plan = value as unknown as DeploymentPlan
  return planHash(plan, context.sha256) === hash ? plan : undefined
}

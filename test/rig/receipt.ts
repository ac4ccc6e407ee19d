import { expect } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import type { StoredDeployment } from '#store/deployment.ts'

/** The receipt of a deployment that has to have succeeded. */
export function receiptOf({ conclusion, document, receipt }: StoredDeployment): DeploymentReceipt {
  if (conclusion !== 'success' || receipt === undefined)
    throw new Error(`the deployment ended as ${conclusion}: ${JSON.stringify(document.machine)}`)
  return receipt
}

/** The receipt tells what was lost: as many requests as nginx has logged, by their statuses. */
export function expectLossTold({ traffic }: DeploymentReceipt, statuses: readonly number[]): void {
  expect(traffic?.failures).toBeGreaterThan(0)
  expect(traffic?.failures).toBeGreaterThanOrEqual(statuses.filter((status) => status >= 500).length)
  // 499: the client went away, because it had waited long enough, or because the deployment was over.
  expect(traffic?.failures).toBeLessThanOrEqual(statuses.filter((status) => status >= 499).length)
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

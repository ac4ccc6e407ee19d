import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the conformance data lies: it is no part of the project, because it belongs to others. */
export const conformanceRoot =
  process.env['SHIPWAY_CONFORMANCE'] ?? join(import.meta.dirname, '../../../shared/conformance')

/** Why a conformance test cannot run here; undefined when its data is there. */
export function missingData(path: string): string | undefined {
  const full = join(conformanceRoot, path)
  return existsSync(full) ? undefined : `no conformance data at ${full} (set SHIPWAY_CONFORMANCE)`
}

/** A file of the conformance data as text. */
export function readData(path: string): string {
  return readFileSync(join(conformanceRoot, path), 'utf8')
}

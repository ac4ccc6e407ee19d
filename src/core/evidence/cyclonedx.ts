import { objectIn, objectsIn, readJsonObject, textIn } from './json-report.ts'
import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** What a bill of materials says about itself. The document is kept whole beside the release. */
export interface BillOfMaterials {
  readonly specVersion: string
  readonly serialNumber?: string
  /** What it is about: a package URL, or a name. */
  readonly subject?: string
  readonly components: number
  readonly vulnerabilities: number
}

/** Reads CycloneDX JSON 1.4 to 1.7 (ECMA-424). */
export function readCycloneDx(text: string): Reading<BillOfMaterials> {
  const json = readJsonObject(text)
  if (json.kind === 'unreadable') return json
  const { report } = json
  if (textIn(report, 'bomFormat') !== 'CycloneDX') return unreadable('not CycloneDX JSON')
  const specVersion = textIn(report, 'specVersion') ?? ''
  if (!/^1\.[4-7]$/.test(specVersion)) return unreadable(`CycloneDX ${specVersion}; 1.4 to 1.7 are read`)
  const serialNumber = textIn(report, 'serialNumber')
  const component = objectIn(objectIn(report, 'metadata'), 'component')
  const subject = textIn(component, 'purl') ?? textIn(component, 'name')
  return read({
    specVersion,
    ...(serialNumber === undefined ? {} : { serialNumber }),
    ...(subject === undefined ? {} : { subject }),
    components: objectsIn(report, 'components').length,
    vulnerabilities: objectsIn(report, 'vulnerabilities').length,
  })
}

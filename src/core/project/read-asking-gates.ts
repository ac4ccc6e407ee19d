import type { ReviewGate, SonarQubeGate } from '#core/gate/policy.ts'
import type { Path } from './place.ts'
import { checkToken, isApiUrl, readForgeOrIssues } from './read-forge.ts'
import type { ForgePlace } from './forge-place.ts'
import type { ValuesOf } from './field.ts'
import type { gateFields } from './gate-schema.ts'
import type { ProjectReader } from './reader.ts'

type WrittenGates = ValuesOf<typeof gateFields>

/** How long an analysis that is under way is waited for, where the file does not say it. */
const analysisWithinMs = 600_000

/** The gate that asks SonarQube; undefined when there is none, or it cannot be used. */
export function readSonarQube(
  reader: ProjectReader,
  written: WrittenGates['sonarqube'],
  path: Path,
): SonarQubeGate | undefined {
  if (written?.url === undefined || written.project === undefined || written.token === undefined) return undefined
  const { url, project, token, branch, within } = written
  if (!isApiUrl(url)) {
    reader.report('CONFIG_URL_INVALID', [...path, 'url'], {
      message: `"${url}" is no address that can be asked.`,
      hint: 'Write the address of the server without /api, such as https://sonar.example.org.',
    })
    return undefined
  }
  if (!checkToken(reader, token, { path: [...path, 'token'], what: 'sonarqube', url })) return undefined
  return {
    url: url.replace(/\/+$/, ''),
    project,
    token,
    ...(branch === undefined ? {} : { branch }),
    withinMs: within ?? analysisWithinMs,
  }
}

/** The gate that asks the forge. */
export function readReview(
  reader: ProjectReader,
  written: WrittenGates['review'],
  { path, issues }: { readonly path: Path; readonly issues: ForgePlace | undefined },
): ReviewGate | undefined {
  if (written === undefined) return undefined
  const place = readForgeOrIssues(reader, written, { path, what: 'review', issues })
  if (place === undefined) return undefined
  return {
    ...place,
    approvals: written.approvals ?? 1,
    notAuthor: written.notAuthor ?? true,
    ofHead: written.ofHead ?? true,
    from: written.from ?? [],
    into: written.into ?? [],
  }
}

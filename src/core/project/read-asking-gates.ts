import type { ReviewGate, SonarQubeGate } from '#core/gate/policy.ts'
import type { Path } from './place.ts'
import { checkToken, isApiUrl, readForge } from './read-forge.ts'
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

/** The gate that asks the forge. What it does not say of the place is what `issues` says: most projects have one forge. */
export function readReview(
  reader: ProjectReader,
  written: WrittenGates['review'],
  { path, issues }: { readonly path: Path; readonly issues: ForgePlace | undefined },
): ReviewGate | undefined {
  if (written === undefined) return undefined
  // The address belongs to the forge: with another forge that of "issues" would be asked in a language that it does not know.
  const isSame = written.forge === undefined || written.forge === issues?.forge
  const given = {
    forge: written.forge ?? issues?.forge,
    repository: written.repository ?? issues?.repository,
    token: written.token ?? issues?.token,
    url: written.url ?? (isSame ? issues?.url : undefined),
  }
  const missing = (['forge', 'repository', 'token'] as const).filter((name) => given[name] === undefined)
  if (missing.length > 0) {
    reader.report('CONFIG_VALUE_INVALID', path, {
      message: `The gate "review" has no ${missing.join(' and no ')}.`,
      hint: 'Write it here, or in "issues": forge: github, repository: owner/name, token: NAME_OF_THE_SECRET.',
    })
    return undefined
  }
  const place = readForge(reader, given, { path, what: 'review' })
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

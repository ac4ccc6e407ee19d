import { composeFiles } from '#core/compose/model.ts'
import { plannedPorts } from '#core/compose/planned-ports.ts'
import { sealedEnvironment } from '#core/deployment/plan.ts'
import type { Verdict } from '#core/environment/check.ts'
import { homeLayout } from '#core/home/layout.ts'
import { portsExposed } from '#core/known/compose.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** Larger compose files are judged by the hosts alone. */
const composeBytesMax = 1024 * 1024

/** The verdict of the rules, refused where the release would open ports that only others may: `compose.expose`. */
export function refuseOpenPorts(
  verdict: Verdict,
  { release, config, files }: { release: Release; config: EnvironmentConfig; files: Pick<HomeFiles, 'readText'> },
): Verdict {
  const { compose, variables } = sealedEnvironment(release, config)
  const allowed = config.compose?.expose
  if (verdict.kind === 'refuse' || compose === undefined || allowed === undefined) return verdict
  const digests = new Map(release.manifest.files.map(({ path, digest }) => [path, digest]))
  const texts = (composeFiles(compose, new Set(digests.keys())) ?? []).flatMap((path) => {
    const digest = digests.get(path)
    return (digest === undefined ? undefined : files.readText(homeLayout.blob(digest), composeBytesMax)) ?? []
  })
  const ports = plannedPorts(texts, allowed, variables)
  if (ports.length === 0) return verdict
  const { code, message, hint } = portsExposed({ environment: config.name, ports, allowed })
  return { kind: 'refuse', reason: { code, message, ...(hint === undefined ? {} : { hint }) } }
}

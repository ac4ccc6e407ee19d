import { componentVersionUnreadable } from '#core/known/release.ts'
import type { VersionSource } from '#core/project/model.ts'
import { componentVersion, versionFileBytesMax, versionVariable } from '#core/release/component-version.ts'
import type { ComponentVersion } from '#core/release/component-version.ts'
import type { Git } from '#ports/git.ts'

/** Version of each component, as the files of a commit say. */
export type ComponentVersions = Readonly<Record<string, string>>

/** Reads the versions that `release.versions` asks for. COMPONENT_VERSION_UNREADABLE names every file that says none. */
export async function readComponentVersions(
  git: Pick<Git, 'readFiles'>,
  commit: { readonly repository: string; readonly sha: string },
  sources: readonly VersionSource[],
): Promise<ComponentVersions> {
  if (sources.length === 0) return {}
  const { repository, sha } = commit
  const objects = await git.readFiles(
    repository,
    sha,
    sources.map(({ file }) => file),
  )
  const read = sources.map((source, index) => {
    const object = objects[index]
    return { source, found: versionIn(source, object?.kind === 'file' ? object.text : undefined) }
  })
  const problems = read.flatMap(({ source, found }) => (found.kind === 'problem' ? [{ ...source, ...found }] : []))
  if (problems.length > 0) throw componentVersionUnreadable({ sha, problems })
  return Object.fromEntries(
    read.flatMap(({ source, found }) => (found.kind === 'version' ? [[source.component, found.version]] : [])),
  )
}

/** The variables of jobs that hold them. */
export function versionVariables(versions: ComponentVersions): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(versions).map(([name, version]) => [versionVariable(name), version]))
}

function versionIn({ file, pattern }: VersionSource, text: string | undefined): ComponentVersion {
  if (text === undefined) return { kind: 'problem', problem: 'the commit has no such file' }
  if (text.length > versionFileBytesMax)
    return { kind: 'problem', problem: `it is larger than ${versionFileBytesMax} bytes` }
  return componentVersion(file, text, pattern)
}

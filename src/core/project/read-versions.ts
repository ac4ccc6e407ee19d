import { pathProblem } from '#core/release/assemble.ts'
import { isVersionFile, versionPatternProblem, versionVariable } from '#core/release/component-version.ts'
import type { VersionSource } from './model.ts'
import type { ProjectReader } from './reader.ts'

/** Components whose versions are read. */
const componentsMax = 50

/** `release.versions`: which file says the version of which component. Every mistake is reported at its place. */
export function readVersions(
  reader: ProjectReader,
  written: ReadonlyMap<string, { readonly file?: string; readonly pattern?: string }>,
): readonly VersionSource[] {
  const path = ['release', 'versions']
  const variables = new Map<string, string>()
  if (written.size > componentsMax)
    reader.report('CONFIG_VALUE_INVALID', path, { message: `More than ${componentsMax} versions are not read.` })
  return [...written].flatMap(([component, { file, pattern }]): readonly VersionSource[] => {
    const at = [...path, component]
    const refuse = (message: string, hint?: string): void =>
      reader.report('CONFIG_VALUE_INVALID', at, { message, ...(hint === undefined ? {} : { hint }) })
    const variable = versionVariable(component)
    const other = variables.get(variable)
    variables.set(variable, component)
    if (other !== undefined) refuse(`"${component}" and "${other}" would both be ${variable} in jobs.`)
    if (/^(?:GITHUB|RUNNER|ACTIONS|\d)/.test(variable))
      refuse(`"${component}" would be ${variable} in jobs, which no variable of a user may be called.`)
    if (file === undefined) return []
    const problem = pathProblem(file)
    if (problem !== undefined)
      refuse(`"${file}" is no file of the repository: ${problem}.`, 'Write it as it is below the root, without "./".')
    const wrong = pattern === undefined ? undefined : versionPatternProblem(pattern)
    if (wrong !== undefined) refuse(`"${pattern}" is no pattern: ${wrong}.`, `For example: version = "{version}"`)
    if (pattern === undefined && !isVersionFile(file))
      refuse(
        `Nothing is known about where "${file}" has its version.`,
        'Say it: { file: …, pattern: \'version = "{version}"\' }',
      )
    return [{ component, file, ...(pattern === undefined ? {} : { pattern }) }]
  })
}

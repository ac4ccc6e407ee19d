import { composeDefaults, isComposeProject } from '../compose/model.ts'
import type { ComposeConfig } from '../compose/model.ts'
import { pathProblem } from '../release/assemble.ts'
import type { composeFields } from './compose-schema.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import { readBlueGreen } from './read-blue-green.ts'
import type { ProjectReader } from './reader.ts'

/** The group `compose` with its defaults; every mistake is reported at its place. */
export function readCompose(
  reader: ProjectReader,
  written: ValuesOf<typeof composeFields>,
  place: { readonly path: Path; readonly secrets: readonly string[] },
): ComposeConfig {
  const { files = [], project, profiles = [], expose, registry, engine, blueGreen } = written
  const { server, username, password } = registry ?? {}
  reportCompose(reader, written, place)
  return {
    files,
    ...(project === undefined ? {} : { project }),
    profiles,
    healthWithinMs: written.healthWithin ?? composeDefaults.healthWithinMs,
    pullWithinMs: written.pullWithin ?? composeDefaults.pullWithinMs,
    ...(expose === undefined ? {} : { expose }),
    ...(server === undefined || username === undefined || password === undefined
      ? {}
      : { registry: { server, username, password } }),
    ...(engine === undefined ? {} : { engine }),
    ...(blueGreen === undefined ? {} : { blueGreen: readBlueGreen(reader, blueGreen, [...place.path, 'blueGreen']) }),
  }
}

function reportCompose(
  reader: ProjectReader,
  { files = [], project, profiles = [], registry }: ValuesOf<typeof composeFields>,
  { path, secrets }: { readonly path: Path; readonly secrets: readonly string[] },
): void {
  const invalid = (at: Path, message: string, hint?: string): void =>
    reader.report('CONFIG_VALUE_INVALID', [...path, ...at], { message, ...(hint === undefined ? {} : { hint }) })
  for (const [index, file] of files.entries()) {
    const problem = pathProblem(file)
    if (problem !== undefined) invalid(['files', index], `"${file}" is no file of a release: ${problem}.`)
  }
  for (const [index, profile] of profiles.entries())
    if (!/^[A-Za-z0-9][\w.-]*$/.test(profile)) invalid(['profiles', index], `"${profile}" is no name of a profile.`)
  if (project !== undefined && !isComposeProject(project))
    invalid(
      ['project'],
      `"${project}" is no name for a compose project.`,
      'Small letters and digits, with single - or _ between them.',
    )
  if (registry?.password !== undefined && !secrets.includes(registry.password))
    invalid(
      ['registry', 'password'],
      `"${registry.password}" is not one of the secrets of this environment.`,
      `Write \`secrets: [${[...secrets, registry.password].join(', ')}]\`; the password itself never stands in this file.`,
    )
}

import type { ValuesOf } from './field.ts'
import type { DatabaseConfig, EnvironmentConfig } from './model.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'
import type { projectFields } from './schema.ts'

type WrittenDatabase = NonNullable<ValuesOf<(typeof projectFields)['environments']['spec']['fields']>['database']>

/** Where PostgreSQL's programs run when `on` says so: the machine of the agent, which need not be a target. */
export const localPlace = 'local'

/** The database of an environment with its defaults. */
export function readDatabase(
  reader: ProjectReader,
  written: WrittenDatabase,
  { path, keep }: { readonly path: Path; readonly keep: number },
): DatabaseConfig {
  const { url, service, container, on } = written
  if ((url === undefined) === (service === undefined))
    reader.report('CONFIG_VALUE_INVALID', path, {
      message: url === undefined ? '"database" says not where it is.' : '"database" has "url" and "service" at once.',
      hint: 'Write `url: DATABASE_URL`, the name of the secret with the address, or `service: NAME`.',
    })
  if (url !== undefined && !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(url))
    reader.report('CONFIG_VALUE_INVALID', [...path, 'url'], {
      message: '"database.url" is no name of a secret.',
      hint: 'The address holds a password and never stands in this file: write the name of the secret that has it.',
    })
  checkName(reader, service, [...path, 'service'])
  checkName(reader, container, [...path, 'container'])
  return {
    source: service === undefined ? { kind: 'url', secret: url ?? '' } : { kind: 'service', service },
    ...(container === undefined ? {} : { container }),
    ...(on === undefined ? {} : { on }),
    keep: written.keep ?? keep,
    isBeforeDeploy: written.before === 'deploy',
  }
}

/** Names go to programs as arguments: what begins with a dash would be an option there. */
function checkName(reader: ProjectReader, name: string | undefined, path: Path): void {
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)) return
  reader.report('CONFIG_VALUE_INVALID', path, {
    message: `"${name}" is no name.`,
    hint: 'Letters, digits, "_", "." and "-", beginning with a letter or digit.',
  })
}

/** The place where the programs run is one of the environment's. */
export function checkDatabase(reader: ProjectReader, { name, database, targets }: EnvironmentConfig): void {
  const on = database?.on
  if (on === undefined || on === localPlace || targets.some((target) => target.name === on)) return
  reader.report('CONFIG_VALUE_INVALID', ['environments', name, 'database', 'on'], {
    message: `Environment "${name}" has no target "${on}".`,
    hint: `Write ${[localPlace, ...targets.map((target) => target.name)].join(', ')}, or leave it out for the first target.`,
  })
}

import { LineCounter, parseDocument } from 'yaml'
import { hasErrors } from '#core/diagnostic.ts'
import type { Diagnostic, Parsed } from '#core/diagnostic.ts'
import type { IssuesConfig } from '#core/issue/model.ts'
import { checkProject } from './check.ts'
import type { ValuesOf, WrittenTarget } from './field.ts'
import { driverNames } from './model.ts'
import type {
  EnvironmentConfig,
  HealthRule,
  MigrationPhase,
  ProjectConfig,
  ReleaseConfig,
  TargetConfig,
} from './model.ts'
import { readWebhookTarget } from './read-webhook.ts'
import { ProjectReader } from './reader.ts'
import type { Path } from './place.ts'
import { readColours } from './read-colours.ts'
import { readCompose } from './read-compose.ts'
import { readDatabase } from './read-database.ts'
import { readFreeze } from './read-freeze.ts'
import { readIssues } from './read-issues.ts'
import { readPublish } from './read-publish.ts'
import { defaultReports, readGates, readWaivers } from './read-gates.ts'
import { readVersions } from './read-versions.ts'
import { projectFields } from './schema.ts'
import { parseTarget } from './target.ts'

/** Longest file that is read. */
export const projectTextLengthMax = 256 * 1024

const minute = 60_000
/** Values of keys that were not written. `shipway.example.yml` shows them, and a test compares. */
export const projectDefaults = {
  retain: 5,
  database: { keep: 7 },
  health: { withinMs: minute, everyMs: 1000, status: 200, successes: 1 },
  approvals: { count: 1, expiresMs: 24 * 60 * minute },
  confirmBeyondHealthMs: minute,
  confirmWithinMsMin: 2 * minute,
} as const

const migrationPhases = ['expand', 'contract'] as const satisfies readonly MigrationPhase[]

type WrittenEnvironment = ValuesOf<(typeof projectFields)['environments']['spec']['fields']>
type WrittenTargets = readonly WrittenTarget<
  (typeof projectFields)['environments']['spec']['fields']['targets']['spec']['fields']
>[]

/**
 * `shipway.yml` as the rest of the program knows it. Every mistake is reported, each with its place; `value` is there when
 * none of them is an error. Never throws.
 */
export function parseProject(source: {
  readonly file: string
  readonly text: string
  readonly folderName: string
}): Parsed<ProjectConfig> {
  if (source.text.length > projectTextLengthMax) return tooLarge(source)
  const lines = new LineCounter()
  const document = parseDocument(source.text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
  })
  const reader = new ProjectReader(source.file, document, lines)
  const syntax = document.errors.map((error): Diagnostic => yamlProblem(source.file, lines, error))
  if (syntax.some((diagnostic) => diagnostic.code === 'CONFIG_YAML_INVALID'))
    return { value: undefined, diagnostics: syntax }

  const written = document.contents === null ? {} : reader.readGroup(document.contents, projectFields, [])
  const issues = written?.issues === undefined ? undefined : readIssues(reader, written.issues)
  const environments: EnvironmentConfig[] = []
  for (const [name, environment] of written?.environments ?? [])
    environments.push(normaliseEnvironment(reader, environment, { name, issues }))
  const published = written?.release?.publish
  const publish =
    published === undefined
      ? undefined
      : readPublish(reader, published, { issues, environments: environments.map(({ name }) => name) })
  const config: ProjectConfig = {
    application: applicationName(reader, written?.name, source.folderName),
    release: normaliseRelease(reader, written?.release),
    platforms: written?.platforms ?? {},
    ...(written?.containers?.pull === 'always' ? { pullsAlways: true } : {}),
    waivers: readWaivers(reader, written?.waivers ?? []),
    ...(written?.actions?.url === undefined ? {} : { actionsUrl: written.actions.url }),
    ...(issues === undefined ? {} : { issues }),
    ...(publish === undefined ? {} : { publish }),
    environments,
  }
  checkProject(reader, config, [...(written?.environments?.keys() ?? [])])
  const diagnostics = [...syntax, ...reader.diagnostics].toSorted(byPlace)
  return { value: hasErrors(diagnostics) ? undefined : config, diagnostics }
}

function normaliseEnvironment(
  reader: ProjectReader,
  written: WrittenEnvironment,
  { name, issues }: { readonly name: string; readonly issues: IssuesConfig | undefined },
): EnvironmentConfig {
  const path: Path = ['environments', name]
  const health = written.health === undefined ? undefined : normaliseHealth(written.health)
  const compose = normaliseCompose(reader, written, path)
  const blueGreen = normaliseColours(reader, written, path)
  const drainMs = (compose?.blueGreen ?? blueGreen)?.drainWithinMs ?? 0
  const started = compose ?? blueGreen
  const servicesMs =
    started === undefined ? 0 : started.healthWithinMs + drainMs + projectDefaults.confirmBeyondHealthMs
  const defaultConfirmMs = Math.max(
    projectDefaults.confirmWithinMsMin,
    (health?.withinMs ?? 0) + projectDefaults.confirmBeyondHealthMs + servicesMs,
  )
  return {
    name,
    from: written.from ?? [],
    after: written.after ?? [],
    driver: driverNames.find((name) => name === written.driver) ?? 'directory',
    ...(compose === undefined ? {} : { compose }),
    ...(blueGreen === undefined ? {} : { blueGreen }),
    targets: normaliseTargets(reader, written, path),
    ...(written.approvals === undefined ? {} : { approvals: normaliseApprovals(written.approvals) }),
    ...(written.gates === undefined
      ? {}
      : { gates: readGates(reader, written.gates, { path: [...path, 'gates'], issues }) }),
    ...(written.soak === undefined ? {} : { soakMs: written.soak }),
    ...(written.freeze === undefined ? {} : { freeze: readFreeze(reader, written.freeze, [...path, 'freeze']) }),
    ...(health === undefined ? {} : { health }),
    verifiedBy: written.verifiedBy ?? [],
    retain: written.retain ?? projectDefaults.retain,
    ...(written.database === undefined
      ? {}
      : {
          database: readDatabase(reader, written.database, {
            path: [...path, 'database'],
            keep: projectDefaults.database.keep,
          }),
        }),
    ...(written.restart === undefined ? {} : { restart: written.restart }),
    confirmWithinMs: written.confirmWithin ?? defaultConfirmMs,
    auto: written.auto ?? false,
    variables: written.variables ?? {},
    secrets: written.secrets ?? [],
    ...(written.url === undefined ? {} : { url: written.url }),
    position: reader.rangeAt(path).start,
  }
}

/** Undefined for every other driver. */
function normaliseCompose(
  reader: ProjectReader,
  written: WrittenEnvironment,
  path: Path,
): EnvironmentConfig['compose'] {
  if (written.driver === 'compose')
    return readCompose(reader, written.compose ?? {}, { path: [...path, 'compose'], secrets: written.secrets ?? [] })
  if (written.compose !== undefined)
    reader.report('CONFIG_VALUE_INVALID', [...path, 'compose'], {
      message: `"compose" says how the driver compose works, but this environment has the driver "${written.driver ?? 'directory'}".`,
      hint: 'Write `driver: compose` beside it.',
    })
  return undefined
}

/** Undefined where the restart command replaces what runs. */
function normaliseColours(
  reader: ProjectReader,
  { driver = 'directory', blueGreen }: WrittenEnvironment,
  path: Path,
): EnvironmentConfig['blueGreen'] {
  if (blueGreen === undefined) return undefined
  const place = [...path, 'blueGreen']
  if (driver === 'directory') return readColours(reader, blueGreen, place)
  reader.report('CONFIG_VALUE_INVALID', place, {
    message: `"blueGreen" here is for the driver directory, and this environment has the driver "${driver}".`,
    hint: driver === 'compose' ? 'Write it as a part of "compose", with its services.' : 'Take it out.',
  })
  return undefined
}

function normaliseHealth(written: NonNullable<WrittenEnvironment['health']>): HealthRule {
  return {
    url: written.url ?? '',
    withinMs: written.within ?? projectDefaults.health.withinMs,
    everyMs: written.every ?? projectDefaults.health.everyMs,
    status: written.status ?? projectDefaults.health.status,
    ...(written.contains === undefined ? {} : { contains: written.contains }),
    successes: written.successes ?? projectDefaults.health.successes,
  }
}

function normaliseApprovals(
  written: NonNullable<WrittenEnvironment['approvals']>,
): NonNullable<EnvironmentConfig['approvals']> {
  return {
    count: written.count ?? projectDefaults.approvals.count,
    from: written.from ?? [],
    notAuthor: written.notAuthor ?? false,
    expiresMs: written.expires ?? projectDefaults.approvals.expiresMs,
  }
}

function normaliseTargets(reader: ProjectReader, environment: WrittenEnvironment, path: Path): TargetConfig[] {
  const isWebhook = environment.driver === 'webhook'
  if (!isWebhook && environment.webhook !== undefined)
    reader.report('CONFIG_VALUE_INVALID', [...path, 'webhook'], {
      message: '"webhook" says nothing to this driver.',
      hint: 'Add "driver: webhook", or take it out.',
    })
  if (environment.targets === undefined) requireTargets(reader, environment, path)
  const targets: TargetConfig[] = []
  const written: WrittenTargets = environment.targets ?? []
  for (const [index, item] of written.entries()) {
    const { at, name, options } = typeof item === 'object' ? item : { at: item, name: undefined, options: undefined }
    if (at === undefined) continue
    const target = isWebhook
      ? readWebhookTarget(reader, at, { name, path: [...path, 'webhook'], written: environment.webhook ?? {} })
      : parseTarget({
          at,
          ...(name === undefined ? {} : { name }),
          ...(environment.path === undefined ? {} : { path: environment.path }),
          ...(options === undefined ? {} : { options }),
        })
    if ('problem' in target)
      reader.report('CONFIG_TARGET_INVALID', [...path, 'targets', index], {
        message: `The target "${at}" cannot be used: ${target.problem}.`,
      })
    else targets.push(target)
  }
  return targets
}

/** What only a deployment heeds. Without any of it an environment may be rules for jobs that name it, as on GitHub, and nothing is deployed to it. */
const deploymentKeys = [
  'driver',
  'compose',
  'blueGreen',
  'webhook',
  'path',
  'health',
  'database',
  'restart',
  'retain',
  'confirmWithin',
  'auto',
] as const satisfies readonly (keyof WrittenEnvironment)[]

function requireTargets(reader: ProjectReader, environment: WrittenEnvironment, path: Path): void {
  const key = deploymentKeys.find((name) => environment[name] !== undefined)
  if (Object.keys(environment).length === 0)
    reader.report('CONFIG_KEY_MISSING', path, {
      message: `Environment "${String(path.at(-1))}" needs "targets", or rules for the jobs that name it.`,
      hint: 'targets: [./folder] or [ssh://user@host/folder]; for jobs alone from, after, approvals, gates, soak, variables or secrets.',
    })
  if (key === undefined) return
  reader.report('CONFIG_KEY_MISSING', path, {
    message: `Environment "${String(path.at(-1))}" needs "targets": "${key}" is for what is deployed to it.`,
    hint: `targets: [./folder] or [ssh://user@host/folder]. Rules for jobs alone need no targets: then take "${key}" out.`,
  })
}

function normaliseRelease(
  reader: ProjectReader,
  written: ValuesOf<(typeof projectFields)['release']['spec']['fields']> | undefined,
): ReleaseConfig {
  const migration = migrationPhases.find((phase) => phase === written?.migration)
  const common = {
    ...(written?.images === undefined ? {} : { images: written.images }),
    versions: readVersions(reader, written?.versions ?? new Map()),
    requires: written?.requires ?? [],
    ...(migration === undefined ? {} : { migration }),
    reports: { ...defaultReports, ...written?.reports },
  }
  if (written?.artifact !== undefined) return { artifact: written.artifact, ...common }
  return { files: written?.files ?? ['**'], ...common }
}

function applicationName(reader: ProjectReader, written: string | undefined, folderName: string): string {
  if (written === undefined) return folderName.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+/, '') || 'app'
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(written)) {
    reader.report('CONFIG_VALUE_INVALID', ['name'], {
      message: `"${written}" is no name for an application.`,
      hint: 'Letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit.',
    })
  }
  return written
}

function yamlProblem(
  file: string,
  lines: LineCounter,
  error: { code: string; message: string; pos: [number, number] },
): Diagnostic {
  const start = lines.linePos(error.pos[0])
  const end = lines.linePos(Math.max(error.pos[0] + 1, error.pos[1]))
  const duplicate = error.code === 'DUPLICATE_KEY'
  return {
    severity: 'error',
    code: duplicate ? 'CONFIG_KEY_DUPLICATE' : 'CONFIG_YAML_INVALID',
    file,
    range: {
      start: { line: Math.max(1, start.line), column: Math.max(1, start.col) },
      end: { line: Math.max(1, end.line), column: Math.max(1, end.col) },
    },
    message: duplicate
      ? 'This key stands twice in the same mapping.'
      : `This is not valid YAML: ${error.message.replace(/\.$/, '')}.`,
    ...(duplicate ? { hint: 'Only one of them would count; take one out.' } : {}),
  }
}

function tooLarge(source: { readonly file: string; readonly text: string }): Parsed<ProjectConfig> {
  const start = { line: 1, column: 1 }
  const message = `The file has ${source.text.length} characters; at most ${projectTextLengthMax} are read.`
  return {
    value: undefined,
    diagnostics: [
      { severity: 'error', code: 'CONFIG_TOO_LARGE', file: source.file, range: { start, end: start }, message },
    ],
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column
}

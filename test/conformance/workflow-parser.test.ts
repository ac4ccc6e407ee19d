/**
 * GitHub's own cases for reading workflow files: options, file, expected model or errors.
 *
 * A failure in "reads" means that we understand a file differently from GitHub; one in "refuses" that we accept a file
 * that GitHub refuses, or point at another place. Names in `known` are expected to fail, each with its reason; when one
 * starts to pass its line must go. Cases with several files are about reusable workflows and are not run yet.
 */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toText } from '#core/expression/text.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { JobModel, StepModel, WorkflowModel } from '#core/workflow/model.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { conformanceRoot, missingData, readData } from './data.ts'

/** Why a case does not pass today. */
const known: ReadonlyMap<string, string> = new Map([
  ['errors-empty-expression', 'we point at the empty braces, GitHub at the text that holds them'],
  ['errors-max-file-size', 'the case lowers the limit to 124 bytes; ours is a constant'],
  ['errors-max-result-size', 'the case lowers the limit to 1 KB; ours counts values, not bytes'],
  ['events-mapping-all', 'GitHub refuses "branches" with "branches-ignore" on its servers, its parser does not'],
  ['job-permissions', 'the model keeps permissions as written; the effective ones are not computed yet'],
  ['yaml-schema-sequence', 'the yaml package is stricter: "[one]#" is no comment'],
  ['yaml-schema-str-flow-styles', 'the yaml package is stricter: continued lines of a quoted text must be indented'],
])

interface ParserCase {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly expected: JsonObject
}

const folder = 'actions/workflow-parser'
const missing = missingData(folder)

describe.skipIf(missing !== undefined)(`GitHub's workflow files ${missing ?? ''}`, () => {
  const cases = missing === undefined ? readCases() : []
  test('there are as many as expected', () => {
    expect(cases.length).toBeGreaterThan(100)
  })
  for (const one of cases) {
    const run = known.has(one.name) ? test.fails : test
    if (one.expected['errors'] === undefined) run(`reads ${one.name}`, () => checkModel(one))
    else run(`refuses ${one.name}`, () => checkErrors(one))
  }
})

function readCases(): readonly ParserCase[] {
  return readdirSync(join(conformanceRoot, folder)).flatMap((file) => {
    const parts = readData(`${folder}/${file}`).split(/^---\n/m)
    const [, text = '', expected = ''] = parts
    if (parts.length !== 3) return []
    return [
      {
        name: basename(file, '.yml'),
        file: `.github/workflows/${file}`,
        text,
        expected: JSON.parse(expected) as JsonObject,
      },
    ]
  })
}

async function checkErrors({ file, text, expected }: ParserCase): Promise<void> {
  const { value, diagnostics } = await parseWorkflow({ file, text })
  const places = diagnostics.map(({ range }) => `${range.start.line}:${range.start.column}`)
  expect(value).toBeUndefined()
  expect(places).toEqual(expect.arrayContaining([...expectedPlaces(expected)]))
}

/** `….yml (Line: 5, Col: 7): Unexpected value` → `5:7`. Errors about the file as a whole have no place. */
function expectedPlaces(expected: JsonObject): readonly string[] {
  const errors = expected['errors'] as readonly { readonly Message: string }[]
  return errors.flatMap(({ Message }) => {
    const place = /\(Line: (\d+), Col: (\d+)\)/.exec(Message)
    return place === null ? [] : [`${place[1]}:${place[2]}`]
  })
}

async function checkModel({ file, text, expected }: ParserCase): Promise<void> {
  const { value, diagnostics } = await parseWorkflow({ file, text })
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  const actual = comparable(value as WorkflowModel)
  const jobs = (expected['jobs'] as readonly JsonObject[]).map((job) => pick(plain(job) as JsonObject))
  expect(actual.jobs.map(pick)).toEqual(jobs)
  for (const key of ['env', 'concurrency'] as const) {
    if (expected[key] !== undefined) expect(actual[key]).toEqual(texts(plain(expected[key])))
  }
}

/** GitHub's tokens as templates: type 1 is a list, 2 a mapping, 3 an expression. */
function plain(token: Json): Json {
  if (Array.isArray(token)) return (token as readonly Json[]).map(plain)
  if (!isJsonObject(token)) return token
  if (token['type'] === 3) return { $expr: token['expr'] ?? null }
  if (token['type'] === 1) return plain(token['seq'] ?? [])
  if (typeof token['type'] === 'number' && token['type'] !== 2)
    return token['lit'] ?? token['bool'] ?? token['num'] ?? null
  if (token['type'] === 2) return mapping(token['map'] as readonly { readonly Key: Json; readonly Value: Json }[])
  return Object.fromEntries(Object.entries(token).map(([key, value]) => [key, plain(value)]))
}

function mapping(pairs: readonly { readonly Key: Json; readonly Value: Json }[]): Json {
  const entries = pairs.map(({ Key, Value }): [Json, Json] => [plain(Key), plain(Value)])
  if (entries.some(([key]) => typeof key !== 'string')) return { $map: entries }
  return Object.fromEntries(entries as [string, Json][])
}

/** GitHub's reader makes text of what its schema calls text; we do so when a value is used. Here, both become text. */
function texts(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(texts)
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts(item)]))
  return toText(value)
}

const jobKeys = [
  'id',
  'name',
  'needs',
  'if',
  'env',
  'runs-on',
  'strategy',
  'timeout-minutes',
  'cancel-timeout-minutes',
  'continue-on-error',
  'environment',
  'concurrency',
  'outputs',
  'container',
  'services',
  'permissions',
  'uses',
  'steps',
] as const

function pick(job: JsonObject): JsonObject {
  return Object.fromEntries(
    jobKeys.filter((key) => job[key] !== undefined).map((key) => [key, texts(job[key] ?? null)]),
  )
}

function comparable(model: WorkflowModel): { env: Json; concurrency: Json; jobs: readonly JsonObject[] } {
  return {
    env: texts(model.env ?? null),
    concurrency: texts(model.concurrency ?? null),
    jobs: model.jobs.map(comparableJob),
  }
}

function comparableJob(job: JobModel): JsonObject {
  const { strategy } = job
  return withoutAbsent({
    id: job.id,
    name: job.name ?? job.id,
    needs: job.needs.length === 0 ? undefined : job.needs,
    if: { $expr: job.if },
    env: job.env,
    'runs-on': job.runsOn,
    strategy:
      strategy === undefined
        ? undefined
        : withoutAbsent({
            'fail-fast': strategy.failFast,
            'max-parallel': strategy.maxParallel,
            matrix: strategy.matrix,
          }),
    'timeout-minutes': job.timeoutMinutes,
    'cancel-timeout-minutes': job.cancelTimeoutMinutes,
    'continue-on-error': job.continueOnError,
    environment: job.environment,
    concurrency: job.concurrency,
    outputs: job.outputs,
    container: job.container,
    services: job.services,
    permissions: job.permissions,
    steps: job.steps.length === 0 ? undefined : job.steps.map(comparableStep),
  })
}

function comparableStep(step: StepModel): JsonObject {
  return withoutAbsent({
    id: step.id,
    name: step.name,
    if: { $expr: step.if },
    env: step.env,
    run: step.run,
    uses: step.uses,
    with: step.with,
    shell: step.shell,
    'working-directory': step.workingDirectory,
    'timeout-minutes': step.timeoutMinutes,
    'continue-on-error': step.continueOnError,
  })
}

function withoutAbsent(record: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as JsonObject
}

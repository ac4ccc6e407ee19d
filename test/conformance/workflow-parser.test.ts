/**
 * GitHub's own cases for reading workflow files: options, file, expected model or errors.
 *
 * A failure in "reads" means that we understand a file differently from GitHub; one in "refuses" that we accept a file
 * that GitHub refuses, or point at another place. Names in `known` are expected to fail, each with its reason; when one
 * starts to pass its line must go. Cases with several files are about reusable workflows: of those the words of an error
 * count too.
 */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Diagnostic } from '#core/diagnostic.ts'
import { toText } from '#core/expression/text.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { JobModel, StepModel, WorkflowModel } from '#core/workflow/model.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import { callTrigger } from '#core/workflow/check-call.ts'
import { linkCalls } from '#core/workflow/link-calls.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { readPermissions } from '#core/workflow/permission.ts'
import type { Permissions } from '#core/workflow/permission.ts'
import { conformanceRoot, missingData, readData } from './data.ts'

/** Why a case does not pass today. */
const known: ReadonlyMap<string, string> = new Map([
  ['errors-empty-expression', 'we point at the empty braces, GitHub at the text that holds them'],
  ['errors-max-result-size', 'GitHub counts bytes of its own objects; ours counts values'],
  ['errors-reusable-workflow-max-result-size', 'GitHub counts bytes of its own objects; ours counts values'],
  ['events-mapping-all', 'GitHub refuses "branches" with "branches-ignore" on its servers, its parser does not'],
  ['yaml-schema-str-flow-styles', 'the yaml package is stricter: continued lines of a quoted text must be indented'],
])

/** Cases that pass, and all there are: the bar of the project is 145 of 151. */
const casesMin = 151

interface ParserCase {
  readonly name: string
  readonly file: string
  readonly text: string
  /** Files that it calls. */
  readonly calls: ReadonlyMap<string, string>
  readonly options: JsonObject
  readonly expected: JsonObject
}

const folder = 'actions/workflow-parser'
const missing = missingData(folder)

describe.skipIf(missing !== undefined)(`GitHub's workflow files ${missing ?? ''}`, () => {
  const cases = missing === undefined ? readCases() : []
  test('there are as many as expected', () => {
    expect(cases.length).toBe(casesMin)
    expect(cases.length - known.size).toBeGreaterThanOrEqual(145)
  })
  for (const one of cases) {
    const run = known.has(one.name) ? test.fails : test
    if (one.expected['errors'] === undefined) run(`reads ${one.name}`, () => checkModel(one))
    else run(`refuses ${one.name}`, () => checkErrors(one))
  }
})

function readCases(): readonly ParserCase[] {
  return readdirSync(join(conformanceRoot, folder)).map((file) => {
    const parts = readData(`${folder}/${file}`).split(/^---\n/m)
    const [options = '', text = ''] = parts
    const calls = new Map<string, string>()
    for (let at = 2; at + 1 < parts.length - 1; at += 2) calls.set(parts[at]?.trim() ?? '', parts[at + 1] ?? '')
    return {
      name: basename(file, '.yml'),
      file: `.github/workflows/${file}`,
      text,
      calls,
      options: parse(options) as JsonObject,
      expected: JSON.parse(parts.at(-1) ?? '') as JsonObject,
    }
  })
}

/** Parses the workflow, and what it calls where the case has more files. */
async function read({ file, text, calls, options }: ParserCase): Promise<{
  readonly value: LinkedWorkflow | undefined
  readonly diagnostics: readonly Diagnostic[]
}> {
  const length = options['max-file-size']
  const parsed = await parseWorkflow({ file, text, ...(typeof length === 'number' ? { lengthMax: length } : {}) })
  if (parsed.value === undefined || options['skip-reusable-workflows'] === true) {
    const value = parsed.value === undefined ? undefined : { workflow: parsed.value, calls: {} }
    return { value, diagnostics: parsed.diagnostics }
  }
  const depth = options['max-nested-reusable-workflows-depth']
  const jobsMax = options['max-job-limit']
  const linked = await linkCalls(
    parsed.value,
    async (called) => {
      const source = calls.get(called) ?? ''
      return { kind: 'file', text: source, parsed: await parseWorkflow({ file: called, text: source }) }
    },
    {
      permissions: options['permissions-policy'] === 'LimitedRead' ? 'read' : 'write',
      ...(typeof depth === 'number' ? { depthMax: depth + 1 } : {}),
      ...(typeof jobsMax === 'number' ? { jobsMax } : {}),
    },
  )
  const nested = linked.files.flatMap(({ diagnostics }) => diagnostics)
  return { value: linked.value, diagnostics: [...parsed.diagnostics, ...linked.diagnostics, ...nested] }
}

async function checkErrors(one: ParserCase): Promise<void> {
  const { value, diagnostics } = await read(one)
  expect(value).toBeUndefined()
  if (one.calls.size > 0) {
    const said = diagnostics.map(messageOf)
    for (const message of messages(one.expected)) {
      expect(said.some((text) => text === message || text.endsWith(`: ${message}`))).toBe(true)
    }
    return
  }
  const places = diagnostics.map(({ range }) => `${range.start.line}:${range.start.column}`)
  expect(places).toEqual(expect.arrayContaining([...expectedPlaces(one.expected)]))
}

/** As GitHub writes it: with its place, and cut at 500 characters. */
function messageOf({ file, range: { start }, message }: Diagnostic): string {
  const text = `${file} (Line: ${start.line}, Col: ${start.column}): ${message}`
  return text.length > 500 ? `${text.slice(0, 500)}[...]` : text
}

function messages(expected: JsonObject): readonly string[] {
  return (expected['errors'] as readonly { readonly Message: string }[]).map(({ Message }) => Message)
}

/** `….yml (Line: 5, Col: 7): Unexpected value` → `5:7`. Errors about the file as a whole have no place. */
function expectedPlaces(expected: JsonObject): readonly string[] {
  return messages(expected).flatMap((message) => {
    const place = /\(Line: (\d+), Col: (\d+)\)/.exec(message)
    return place === null ? [] : [`${place[1]}:${place[2]}`]
  })
}

async function checkModel(one: ParserCase): Promise<void> {
  const { expected } = one
  const { value, diagnostics } = await read(one)
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  if (value === undefined) throw new Error('A workflow without errors has no model')
  const actual = comparable(value)
  const jobs = (expected['jobs'] as readonly JsonObject[]).map((job) =>
    pick(withoutDescriptions(plain(job) as JsonObject)),
  )
  expect(actual.jobs.map(pick)).toEqual(jobs)
  for (const key of ['env', 'concurrency'] as const) {
    if (expected[key] !== undefined) expect(actual[key]).toEqual(texts(plain(expected[key])))
  }
}

/** The outputs of a called workflow are kept without their descriptions. */
function withoutDescriptions(job: JsonObject): JsonObject {
  const { type, outputs } = job
  if (type !== 'reusableWorkflowJob' || !isJsonObject(outputs)) return job
  const values = Object.entries(outputs).map(([name, output]) => [
    name,
    isJsonObject(output) ? output['value'] : output,
  ])
  return { ...job, outputs: Object.fromEntries(values) as JsonObject }
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
  'ref',
  'input-definitions',
  'input-values',
  'secret-definitions',
  'secret-values',
  'inherit-secrets',
  'steps',
] as const

/** What is compared of a job; an empty list means the same as none. */
function pick(job: JsonObject): JsonObject {
  const own = jobKeys.filter((key) => job[key] !== undefined && !(Array.isArray(job[key]) && job[key].length === 0))
  const nested = job['jobs'] as readonly JsonObject[] | undefined
  return {
    ...Object.fromEntries(own.map((key) => [key, texts(job[key] ?? null)])),
    ...(nested === undefined ? {} : { jobs: nested.map(pick) }),
  }
}

function comparable(linked: LinkedWorkflow): { env: Json; concurrency: Json; jobs: readonly JsonObject[] } {
  const { workflow } = linked
  return {
    env: texts(workflow.env ?? null),
    concurrency: texts(workflow.concurrency ?? null),
    jobs: workflow.jobs.map((job) => comparableJob(job, { linked, workflow, above: undefined })),
  }
}

interface JobFrame {
  readonly linked: LinkedWorkflow
  readonly workflow: WorkflowModel
  /** What the caller gives. */
  readonly above: Permissions | undefined
}

function comparableJob(job: JobModel, frame: JobFrame): JsonObject {
  const { strategy } = job
  const { linked, workflow, above } = frame
  const called = job.uses === undefined ? undefined : linked.calls[calledFile(job.uses, workflow.file)]
  const permissions =
    readPermissions(called?.permissions) ??
    readPermissions(job.permissions) ??
    readPermissions(workflow.permissions) ??
    above
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
    permissions,
    steps: job.steps.length === 0 ? undefined : job.steps.map(comparableStep),
    ...(job.uses === undefined ? {} : comparableCall(job, called)),
    ...(job.uses === undefined
      ? {}
      : {
          jobs: (called?.jobs ?? []).map((nested) =>
            comparableJob(nested, { linked, workflow: called ?? workflow, above: permissions }),
          ),
        }),
  })
}

function comparableCall(job: JobModel, called: WorkflowModel | undefined): Record<string, unknown> {
  const trigger = called === undefined ? undefined : callTrigger(called)
  const inputs = Object.entries(trigger?.inputs ?? {}).map(([name, input]) => [
    name,
    withoutAbsent({ ...input, required: input.required ? true : undefined }),
  ])
  const secrets = Object.entries(trigger?.secrets ?? {}).map(([name, { required }]) => [
    name,
    required ? { required } : null,
  ])
  const outputs = Object.entries(trigger?.outputs ?? {})
  return {
    ref: job.uses,
    'input-definitions': trigger?.inputs === undefined ? undefined : Object.fromEntries(inputs),
    'input-values': job.with,
    'secret-definitions': trigger?.secrets === undefined ? undefined : Object.fromEntries(secrets),
    'secret-values': job.secrets === 'inherit' ? undefined : job.secrets,
    'inherit-secrets': job.secrets === 'inherit' ? true : undefined,
    outputs: outputs.length === 0 ? undefined : Object.fromEntries(outputs),
  }
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

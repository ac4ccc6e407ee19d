import { hasErrors } from '#core/diagnostic.ts'
import type { Diagnostic, Parsed } from '#core/diagnostic.ts'
import { KnownError } from '#core/errors.ts'
import { parseExpression } from '#core/expression/parse.ts'
import type { ActionInput, ActionModel, ActionRuns } from './action-model.ts'
import { buildSteps, templates } from './build-step.ts'
import { actionSchema, checkKeys, stepSchema } from './check-action.ts'
import { checkSteps } from './check-source.ts'
import type { Report } from './report.ts'
import type { Template } from './model.ts'
import { inOrder } from './in-order.ts'
import { readSource } from './read-source.ts'
import { reporter } from './report.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { toTemplate } from './to-template.ts'
import type { TemplateObserver } from './to-template.ts'

/**
 * Reads and checks an `action.yml`. It does not use GitHub's parser, because a runner does this in the middle of a job
 * and the parser takes longer to load than most actions take to run. All problems are reported at once; never throws.
 */
export async function parseAction({ file, text }: { file: string; text: string }): Promise<Parsed<ActionModel>> {
  const source = await readSource({ file, text })
  if (source.value === undefined) return { value: undefined, diagnostics: source.diagnostics }
  const diagnostics: Diagnostic[] = []
  const report = reporter(file, diagnostics)
  checkKeys(source.value, actionSchema, report)
  const value = buildAction(source.value, { file, report })
  const ordered = inOrder(diagnostics)
  return { value: hasErrors(ordered) ? undefined : value, diagnostics: ordered }
}

interface Frame {
  readonly file: string
  readonly report: Report
}

function buildAction(root: SourceNode, { file, report }: Frame): ActionModel | undefined {
  const observer = observe(report)
  const runs = buildRuns(root, { report, observer })
  if (runs === undefined) return undefined
  return {
    file,
    name: textOf(memberOf(root, 'name')) ?? file,
    ...optionalText('description', memberOf(root, 'description')),
    inputs: record(memberOf(root, 'inputs'), (node) => buildInput(node, observer)),
    outputs: record(
      memberOf(root, 'outputs'),
      (node) => toTemplate(memberOf(node, 'value') ?? node, observer),
      'value',
    ),
    runs,
  }
}

/** Reports expressions that cannot be read, at the text that holds them. */
function observe(report: Report): TemplateObserver {
  return {
    onProblem: (range, problem) => report(range, 'EXPRESSION_INVALID', problem),
    onExpression: (range, source) => {
      try {
        parseExpression(source)
      } catch (error) {
        if (!(error instanceof KnownError)) throw error
        report(range, error.code, error.message)
      }
    },
  }
}

function buildInput(node: SourceNode, observer: TemplateObserver): ActionInput {
  return {
    required: textOf(memberOf(node, 'required')) === 'true',
    ...optionalText('description', memberOf(node, 'description')),
    ...optionalText('deprecationMessage', memberOf(node, 'deprecationMessage')),
    ...templates(node, observer, { default: 'default' }),
  }
}

interface RunsFrame {
  readonly report: Report
  readonly observer: TemplateObserver
}

function buildRuns(root: SourceNode, { report, observer }: RunsFrame): ActionRuns | undefined {
  const runs = memberOf(root, 'runs')
  const using = textOf(memberOf(runs, 'using'))?.toLowerCase()
  if (runs === undefined || using === undefined) {
    report(
      (runs ?? root).range,
      'ACTION_INVALID',
      'Required property is missing: runs.using',
      'Use composite, node24 or docker.',
    )
    return undefined
  }
  if (using === 'composite') return buildComposite(runs, { report, observer })
  if (using === 'docker') return buildDocker(runs, { report, observer })
  if (/^node\d+$/.test(using)) return buildNode(runs, { report, using })
  const place = memberOf(runs, 'using') ?? runs
  report(place.range, 'ACTION_INVALID', `Unexpected value '${using}'`, 'Use composite, node24 or docker.')
  return undefined
}

function buildComposite(runs: SourceNode, { report, observer }: RunsFrame): ActionRuns {
  const steps = memberOf(runs, 'steps')
  if (steps?.kind !== 'list')
    report((steps ?? runs).range, 'ACTION_INVALID', 'A composite action needs a list of steps.')
  checkSteps(steps, report)
  for (const step of steps?.kind === 'list' ? steps.items : []) checkCompositeStep(step, report)
  return { kind: 'composite', steps: buildSteps(steps, observer) }
}

/** Composite steps need a shell of their own: they do not see `defaults` (actions-semantics 11, 102). */
function checkCompositeStep(step: SourceNode, report: Report): void {
  checkKeys(step, stepSchema, report)
  const run = memberOf(step, 'run')
  const uses = memberOf(step, 'uses')
  if ((run === undefined) === (uses === undefined))
    report(step.range, 'ACTION_INVALID', 'A step has either "run" or "uses".')
  if (run !== undefined && memberOf(step, 'shell') === undefined) {
    report(step.range, 'ACTION_INVALID', 'Required property is missing: shell', 'Add "shell: bash" to the step.')
  }
}

function buildNode(runs: SourceNode, { report, using }: { report: Report; using: string }): ActionRuns {
  const main = textOf(memberOf(runs, 'main'))
  if (main === undefined) report(runs.range, 'ACTION_INVALID', 'Required property is missing: runs.main')
  return {
    kind: 'node',
    using,
    main: main ?? '',
    ...optionalText('pre', memberOf(runs, 'pre')),
    preIf: conditionText(runs, 'pre-if'),
    ...optionalText('post', memberOf(runs, 'post')),
    postIf: conditionText(runs, 'post-if'),
  }
}

function buildDocker(runs: SourceNode, { report, observer }: RunsFrame): ActionRuns {
  const image = textOf(memberOf(runs, 'image'))
  if (image === undefined) report(runs.range, 'ACTION_INVALID', 'Required property is missing: runs.image')
  const args = memberOf(runs, 'args')
  return {
    kind: 'docker',
    image: image ?? '',
    ...optionalText('entrypoint', memberOf(runs, 'entrypoint')),
    ...optionalText('preEntrypoint', memberOf(runs, 'pre-entrypoint')),
    preIf: conditionText(runs, 'pre-if'),
    ...optionalText('postEntrypoint', memberOf(runs, 'post-entrypoint')),
    postIf: conditionText(runs, 'post-if'),
    args: args?.kind === 'list' ? args.items.map((item) => toTemplate(item, observer)) : [],
    ...templates(runs, observer, { env: 'env' }),
  }
}

function conditionText(runs: SourceNode, key: string): string {
  const text = textOf(memberOf(runs, key))?.trim() ?? ''
  return text === '' ? 'always()' : text.replace(/^\$\{\{([\s\S]*)\}\}$/, '$1').trim()
}

function optionalText<Name extends string>(name: Name, node: SourceNode | undefined): Partial<Record<Name, string>> {
  const text = textOf(node)
  return text === undefined ? {} : ({ [name]: text } as Partial<Record<Name, string>>)
}

/** Members of a mapping by name; with `required`, only those that have this key. */
function record<T extends ActionInput | Template>(
  node: SourceNode | undefined,
  build: (node: SourceNode) => T,
  required?: string,
): Readonly<Record<string, T>> {
  if (node?.kind !== 'map') return {}
  const wanted = node.pairs.filter(({ value }) => required === undefined || memberOf(value, required) !== undefined)
  return Object.fromEntries(wanted.map(({ key, value }) => [String(key.value), build(value)]))
}

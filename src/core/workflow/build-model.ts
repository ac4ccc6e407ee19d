import type { Range } from '#core/diagnostic.ts'
import { expressionOf } from '#core/expression/template.ts'
import { plainLine } from '#core/view/plain-line.ts'
import { buildSteps, conditionOf, templates } from './build-step.ts'
import { buildTriggers } from './build-trigger.ts'
import type { CallPlaces, JobModel, RunDefaults, Template, WorkflowModel } from './model.ts'
import { memberOf, textOf, textsOf } from './source-node.ts'
import type { ScalarNode, SourceNode } from './source-node.ts'
import { toJson, toTemplate } from './to-template.ts'
import type { TemplateObserver } from './to-template.ts'

/** The model of a workflow file whose shape was checked; what has a wrong shape is left out, never guessed. */
export function buildWorkflow(root: SourceNode, file: string, observer: TemplateObserver = {}): WorkflowModel {
  const jobs = memberOf(root, 'jobs')
  return {
    file,
    name: plainLine(textOf(memberOf(root, 'name')) ?? '') || file,
    triggers: buildTriggers(memberOf(root, 'on'), observer),
    ...templates(root, observer, { runName: 'run-name', env: 'env', concurrency: 'concurrency' }),
    ...defaultsOf(root, observer),
    ...permissionsOf(root),
    jobs: jobs?.kind === 'map' ? jobs.pairs.map(({ key, value }) => buildJob(key, value, observer)) : [],
  }
}

function buildJob(key: ScalarNode, node: SourceNode, observer: TemplateObserver): JobModel {
  const uses = textOf(memberOf(node, 'uses'))
  return {
    id: String(key.value),
    needs: [...new Set(textsOf(memberOf(node, 'needs')))],
    if: conditionOf(node, observer),
    hasIf: memberOf(node, 'if') !== undefined,
    ...templates(node, observer, {
      name: 'name',
      runsOn: 'runs-on',
      env: 'env',
      timeoutMinutes: 'timeout-minutes',
      cancelTimeoutMinutes: 'cancel-timeout-minutes',
      continueOnError: 'continue-on-error',
      environment: 'environment',
      concurrency: 'concurrency',
      container: 'container',
      services: 'services',
      with: 'with',
      secrets: 'secrets',
    }),
    ...defaultsOf(node, observer),
    ...strategyOf(memberOf(node, 'strategy'), observer),
    ...outputsOf(memberOf(node, 'outputs'), observer),
    ...permissionsOf(node),
    ...(uses === undefined ? {} : { uses, places: placesOf(key, node) }),
    steps: buildSteps(memberOf(node, 'steps'), observer),
    position: key.range.start,
  }
}

function defaultsOf(node: SourceNode, observer: TemplateObserver): { defaults?: RunDefaults } {
  const run = memberOf(memberOf(node, 'defaults'), 'run')
  const defaults = templates(run, observer, { shell: 'shell', workingDirectory: 'working-directory' })
  return Object.keys(defaults).length === 0 ? {} : { defaults }
}

/** `strategy` as a whole may be one expression; then each of its parts is a member of that expression's value. */
function strategyOf(node: SourceNode | undefined, observer: TemplateObserver): Pick<JobModel, 'strategy'> {
  if (node === undefined) return {}
  if (node.kind === 'map') {
    return {
      strategy: templates(node, observer, { matrix: 'matrix', failFast: 'fail-fast', maxParallel: 'max-parallel' }),
    }
  }
  const expression = expressionOf(toTemplate(node, observer))
  if (expression === undefined) return {}
  const part = (key: string): Template => ({ $expr: `(${expression})['${key}']` })
  return { strategy: { matrix: part('matrix'), failFast: part('fail-fast'), maxParallel: part('max-parallel') } }
}

function outputsOf(node: SourceNode | undefined, observer: TemplateObserver): Pick<JobModel, 'outputs'> {
  if (node?.kind !== 'map') return {}
  return {
    outputs: Object.fromEntries(node.pairs.map(({ key, value }) => [String(key.value), toTemplate(value, observer)])),
  }
}

function placesOf(key: ScalarNode, node: SourceNode): CallPlaces {
  const ranges = (part: SourceNode | undefined): Record<string, Range> =>
    part?.kind === 'map' ? Object.fromEntries(part.pairs.map((pair) => [String(pair.key.value), pair.value.range])) : {}
  return {
    job: key.range,
    uses: memberOf(node, 'uses')?.range ?? key.range,
    with: ranges(memberOf(node, 'with')),
    secrets: ranges(memberOf(node, 'secrets')),
  }
}

function permissionsOf(node: SourceNode): Pick<JobModel, 'permissions'> {
  const permissions = memberOf(node, 'permissions')
  return permissions === undefined ? {} : { permissions: toJson(permissions) }
}

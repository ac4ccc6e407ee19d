import type { Share } from '#core/evidence/coverage-report.ts'
import { reportKinds } from '#core/evidence/report-kind.ts'
import type { Json } from '#core/json.ts'
import type {
  BackupRequest,
  CancelRequest,
  DecisionRequest,
  DeployRequest,
  EnvironmentRequest,
  EventFacts,
  GivenReport,
  PublishRequest,
  ReleaseRequest,
  RerunRequest,
  RestoreRequest,
  RunRequest,
  TicketRequest,
} from './model.ts'
import * as shape from './shape.ts'
import type { FieldsOf, Shape } from './shape.ts'

const { required, optional, text, name, argument, fields, listOf, recordOf, oneOf } = shape

const event = fields({
  name: required(name),
  ref: required(argument),
  sha: required(argument),
  before: optional(argument),
  baseRef: optional(text),
  headRef: optional(text),
  changedFiles: optional(listOf(text)),
  message: optional(text),
  defaultBranch: optional(text),
  inputs: optional(recordOf(text)),
  // What a forge says is looked at where it is used: GitHub's expressions read any of it.
  payload: required(shape.object),
} satisfies FieldsOf<EventFacts>)

const run = fields({
  kind: required(text),
  application: required(name),
  repositoryName: required(text),
  repository: required(argument),
  event: required(event),
  actor: required(text),
  dirty: required(shape.boolean),
  workflows: optional(listOf(text)),
  job: optional(text),
  hasShell: optional(shape.boolean),
  matrix: optional(listOf(fields({ key: required(text), value: required(text) }))),
  vars: required(recordOf(text)),
  env: required(recordOf(text)),
  secretNames: required(listOf(text)),
  platforms: required(recordOf(text)),
} satisfies FieldsOf<RunRequest>)

const rerun = fields({
  kind: required(text),
  run: required(name),
  scope: required(
    shape.byKind({
      all: fields({ kind: required(text) }),
      failed: fields({ kind: required(text) }),
      job: fields({ kind: required(text), job: required(text) }),
      step: fields({ kind: required(text), job: required(text), step: required(text) }),
    }),
  ),
  secretNames: required(listOf(text)),
} satisfies FieldsOf<RerunRequest>)

const deploy = fields({
  kind: required(text),
  mode: required(oneOf('deploy', 'promote', 'rollback')),
  application: required(name),
  environment: required(name),
  release: optional(text),
  reason: optional(text),
  plan: optional(text),
  isForced: optional(shape.isTrue),
  isRehearsal: optional(shape.isTrue),
  repository: optional(argument),
  run: optional(name),
} satisfies FieldsOf<DeployRequest>)

const decision = fields({
  kind: required(text),
  decision: required(oneOf('approve', 'reject')),
  subject: required(name),
  environment: optional(name),
  plan: optional(text),
  reason: optional(text),
} satisfies FieldsOf<DecisionRequest>)

const environment = fields({
  kind: required(text),
  action: required(oneOf('lock', 'unlock', 'resume', 'revoke-secret')),
  application: required(name),
  environment: required(name),
  secret: optional(text),
  version: optional(text),
  reason: optional(text),
  until: optional(shape.time),
} satisfies FieldsOf<EnvironmentRequest>)

const cancel = fields({
  kind: required(text),
  subject: required(name),
  reason: optional(text),
} satisfies FieldsOf<CancelRequest>)

const report = fields({
  kind: required(oneOf(...reportKinds)),
  path: required(text),
  digest: required(shape.digest),
  size: required(shape.count),
  changed: optional(
    fields({
      percent: required(shape.percent),
      covered: optional(shape.count),
      total: optional(shape.count),
    } satisfies FieldsOf<Share>),
  ),
  changesNothing: optional(shape.isTrue),
} satisfies FieldsOf<GivenReport>)

const release = fields({
  kind: required(text),
  action: required(oneOf('import', 'create')),
  application: required(name),
  release: required(shape.digest),
  attestations: optional(listOf(shape.digest)),
  repositoryName: optional(text),
  reports: optional(listOf(report)),
} satisfies FieldsOf<ReleaseRequest>)

const publish = fields({
  kind: required(text),
  application: required(name),
  release: required(shape.digest),
  isForced: optional(shape.isTrue),
} satisfies FieldsOf<PublishRequest>)

const backup = fields({
  kind: required(text),
  application: required(name),
  environment: required(name),
  reason: optional(text),
} satisfies FieldsOf<BackupRequest>)

const restore = fields({
  kind: required(text),
  application: required(name),
  environment: required(name),
  backup: required(text),
  reason: optional(text),
  isUnsaved: optional(shape.boolean),
} satisfies FieldsOf<RestoreRequest>)

const requestShape = shape.byKind({
  run,
  rerun,
  deploy,
  decision,
  environment,
  cancel,
  release,
  publish,
  backup,
  restore,
} satisfies Record<TicketRequest['kind'], Shape>)

/**
 * Reads what a ticket asks for: whoever can write into an inbox may have written it by hand. Everything behind it may trust the types, but
 * not that anything named there exists. Returns what is wrong as a sentence.
 */
export function readRequest(value: Json): TicketRequest | { readonly problem: string } {
  const problem = requestShape(value, 'request')
  return problem === undefined
    ? (value as unknown as TicketRequest)
    : { problem: `Its request is malformed: ${problem}.` }
}

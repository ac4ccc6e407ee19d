import type { Json } from '#core/json.ts'
import type { Position, Range } from '#core/diagnostic.ts'

/**
 * A value of a workflow file that may hold expressions. It is plain JSON, so a model can be stored and sent to a
 * runner, with two reserved shapes:
 *
 * - `{ $expr: "source" }` is an expression without its `${{ }}`; text with several expressions has already become one
 *   `format('…', …)` call, as GitHub's own reader does (actions-semantics 25).
 * - `{ $map: [[key, value], …] }` is a mapping of which at least one key is an expression (`${{ insert }}` included).
 *
 * A user cannot write either shape by hand: the reader wraps a mapping that has such a key into `$map`.
 */
export type Template = string | number | boolean | null | readonly Template[] | TemplateObject
export interface TemplateObject {
  readonly [key: string]: Template
}

/** Filters of one event under `on:`; absent lists mean "no filter". */
export interface TriggerModel {
  readonly event: string
  readonly branches?: readonly string[]
  readonly branchesIgnore?: readonly string[]
  readonly tags?: readonly string[]
  readonly tagsIgnore?: readonly string[]
  readonly paths?: readonly string[]
  readonly pathsIgnore?: readonly string[]
  readonly types?: readonly string[]
  readonly schedules?: readonly ScheduleModel[]
  /** `workflow_dispatch` and `workflow_call`: declared inputs. */
  readonly inputs?: Readonly<Record<string, InputModel>>
  /** `workflow_call`: declared secrets, and whether a caller must give them. */
  readonly secrets?: Readonly<Record<string, { readonly required: boolean }>>
  /** `workflow_call`: what a caller sees as `needs.<id>.outputs`; contexts `github`, `inputs`, `vars`, `jobs`. */
  readonly outputs?: Readonly<Record<string, Template>>
  /** `workflow_run`: workflow names. */
  readonly workflows?: readonly string[]
}

/** One entry of `schedule`. */
export interface ScheduleModel {
  /** Five fields, as written. */
  readonly cron: string
  /** IANA name; absent: UTC. */
  readonly timezone?: string
}

export interface InputModel {
  readonly type: 'string' | 'boolean' | 'number' | 'choice' | 'environment'
  readonly description?: string
  readonly required: boolean
  /** Of `workflow_call` a template with the contexts `github`, `inputs` and `vars`. */
  readonly default?: Template
  readonly options?: readonly string[]
}

export interface RunDefaults {
  readonly shell?: Template
  readonly workingDirectory?: Template
}

/**
 * A workflow file after parsing and checking: everything that execution needs, nothing of the YAML.
 * Serialisable, so that it is stored with the run: a run never reads its workflow file twice.
 */
export interface WorkflowModel {
  /** Path below the repository's root, `.github/workflows/ci.yml`. */
  readonly file: string
  readonly name: string
  readonly runName?: Template
  readonly triggers: readonly TriggerModel[]
  readonly env?: Template
  readonly defaults?: RunDefaults
  readonly concurrency?: Template
  readonly permissions?: Json
  readonly jobs: readonly JobModel[]
}

export interface JobModel {
  readonly id: string
  readonly name?: Template
  readonly needs: readonly string[]
  /** Expression source, already wrapped in `success() && (…)` where the file has no status function. */
  readonly if: string
  /** False when the file has no `if:` at all. */
  readonly hasIf: boolean
  readonly runsOn?: Template
  readonly env?: Template
  readonly defaults?: RunDefaults
  readonly strategy?: { readonly matrix?: Template; readonly failFast?: Template; readonly maxParallel?: Template }
  readonly timeoutMinutes?: Template
  readonly cancelTimeoutMinutes?: Template
  readonly continueOnError?: Template
  /** `environment:` as written: a name, or `{ name, url }`. */
  readonly environment?: Template
  readonly concurrency?: Template
  readonly outputs?: Readonly<Record<string, Template>>
  readonly permissions?: Json
  readonly container?: Template
  readonly services?: Template
  readonly steps: readonly StepModel[]
  /** Reusable workflow call: `uses:` at job level. */
  readonly uses?: string
  readonly with?: Template
  /** `inherit`, or a mapping. */
  readonly secrets?: Template
  /** Where the parts of a call stand, for what is only found out with the called file. */
  readonly places?: CallPlaces
  readonly position: Position
}

export interface CallPlaces {
  readonly job: Range
  readonly uses: Range
  readonly with: Readonly<Record<string, Range>>
  readonly secrets: Readonly<Record<string, Range>>
}

export interface StepModel {
  /** The id as written, else a generated one that starts with `__` and never shows in the `steps` context. */
  readonly id: string
  readonly name?: Template
  /** As in `JobModel.if`. */
  readonly if: string
  readonly run?: Template
  readonly uses?: string
  readonly with?: Template
  readonly env?: Template
  readonly shell?: Template
  readonly workingDirectory?: Template
  readonly timeoutMinutes?: Template
  readonly continueOnError?: Template
  /** The step runs beside those after it, until one waits for it or cancels it (actions-semantics 60). */
  readonly background?: true
  /** The step does nothing itself, but waits for steps that run beside it, or cancels one. */
  readonly control?: StepControl
  readonly position: Position
}

/** What a step asks of background steps. The end of a `parallel` group is a `wait` for all of it. */
export type StepControl =
  | { readonly kind: 'wait' | 'cancel'; readonly steps: readonly string[] }
  | { readonly kind: 'wait-all' }

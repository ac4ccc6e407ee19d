import type { StepModel, Template } from './model.ts'

/** An input of an action. A default may hold expressions (contexts github, strategy, matrix, job, runner). */
export interface ActionInput {
  readonly required: boolean
  readonly description?: string
  readonly default?: Template
  readonly deprecationMessage?: string
}

/** How an action runs: `runs:` of its file. */
export type ActionRuns =
  | { readonly kind: 'composite'; readonly steps: readonly StepModel[] }
  | {
      readonly kind: 'node'
      /** `node20`, `node24`: as written, in lower case. */
      readonly using: string
      readonly main: string
      readonly pre?: string
      /** Conditions as written; `always()` when the file has none. */
      readonly preIf: string
      readonly post?: string
      readonly postIf: string
    }
  | {
      readonly kind: 'docker'
      readonly image: string
      readonly entrypoint?: string
      readonly preEntrypoint?: string
      readonly preIf: string
      readonly postEntrypoint?: string
      readonly postIf: string
      readonly args: readonly Template[]
      readonly env?: Template
    }

/** `action.yml` after parsing and checking. Serialisable. */
export interface ActionModel {
  readonly file: string
  readonly name: string
  readonly description?: string
  /** By the name that the file gives; names are matched without case. */
  readonly inputs: Readonly<Record<string, ActionInput>>
  /** Of composite actions: the value's template by name. Other actions set their outputs themselves. */
  readonly outputs: Readonly<Record<string, Template>>
  readonly runs: ActionRuns
}

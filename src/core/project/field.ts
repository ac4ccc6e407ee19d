/**
 * What may stand at one place of `shipway.yml`. The parser, the JSON Schema for editors and the list of known keys all read
 * this one description, so they cannot disagree.
 */
export type FieldSpec =
  | { readonly kind: 'text'; readonly example: string }
  /** One text, or a list of texts. */
  | { readonly kind: 'texts'; readonly example: string }
  | { readonly kind: 'duration'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'whole'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly later: readonly string[] }
  /** Names in the environment-variable form with scalar values, kept as the text that was written. */
  | { readonly kind: 'variables' }
  /** Labels of `runs-on`, each with `host` or `docker:IMAGE`. */
  | { readonly kind: 'platforms' }
  | { readonly kind: 'targets'; readonly fields: Fields }
  /** A mapping; with `short`, a scalar stands for that one key of it. */
  | { readonly kind: 'group'; readonly fields: Fields; readonly short?: string }
  /** A list of mappings. */
  | { readonly kind: 'groups'; readonly fields: Fields }
  /** Free names, each with the same group; `short` as there. */
  | { readonly kind: 'named'; readonly fields: Fields; readonly what: string; readonly short?: string }

export interface Field {
  readonly spec: FieldSpec
  /** One sentence, shown by editors. */
  readonly help: string
  readonly required?: true
}

export type Fields = Readonly<Record<string, Field>>

/** The value that a field has after reading: texts and numbers, durations in milliseconds, groups as objects of them. */
export type ValueOf<S extends FieldSpec> = S extends { kind: 'text' | 'choice' }
  ? string
  : S extends { kind: 'texts' }
    ? readonly string[]
    : S extends { kind: 'duration' | 'whole' }
      ? number
      : S extends { kind: 'boolean' }
        ? boolean
        : S extends { kind: 'variables' | 'platforms' }
          ? Readonly<Record<string, string>>
          : S extends { kind: 'targets'; fields: infer F extends Fields }
            ? readonly WrittenTarget<F>[]
            : S extends { kind: 'group'; fields: infer F extends Fields }
              ? ValuesOf<F>
              : S extends { kind: 'groups'; fields: infer F extends Fields }
                ? readonly ValuesOf<F>[]
                : S extends { kind: 'named'; fields: infer F extends Fields }
                  ? ReadonlyMap<string, ValuesOf<F>>
                  : never

/** The values of a group's keys that were written and are right. */
export type ValuesOf<F extends Fields> = { readonly [K in keyof F]?: ValueOf<F[K]['spec']> }

/** A target is a text, or a group when it needs a name or options. */
export type WrittenTarget<F extends Fields> = string | ValuesOf<F>

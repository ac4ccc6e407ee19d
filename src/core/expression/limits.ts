/** Length of an expression in characters. `actions/runner ExpressionConstants.MaxLength`. */
export const expressionLengthMax = 21_000

/** Length in characters of any text that an expression builds; GitHub allows 10 MiB for a whole expanded file. */
export const resultLengthMax = 10 * 1024 * 1024

/** Values that `*` may collect, so that `x.*.*.*` on a large payload ends. */
export const filteredItemsMax = 1_000_000

/** Nesting of values that come out of `fromJSON` or go into `toJSON`. */
export const valueDepthMax = 100

/** Parsed expressions that are kept for the next evaluation. */
export const parseCacheSizeMax = 2_000

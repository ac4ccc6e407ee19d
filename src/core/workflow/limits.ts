/** Size of a workflow or action file in characters. `actions/runner ParseOptions.MaxFileSize` (1 MiB). */
export const fileLengthMax = 1024 * 1024

/** Nesting of lists and mappings. `actions/runner ParseOptions.MaxDepth`. */
export const nestingDepthMax = 50

/** Nodes of a file after its aliases were resolved; GitHub counts 1,000,000 parse events. */
export const nodesMax = 250_000

/** Uses of anchors in one file, nested ones counted: together with `nodesMax` the end of every alias bomb. */
export const aliasesMax = 1_000

/** Diagnostics that are reported for one file. */
export const diagnosticsMax = 50

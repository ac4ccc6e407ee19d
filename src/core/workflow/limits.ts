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

/** Workflow files on the way from a run's own to the deepest one that is called, both counted (actions-semantics 123). */
export const callDepthMax = 10

/** Reusable workflow files that one workflow may call, directly or not. */
export const calledFilesMax = 50

/** Jobs of a run with those of all called workflows, legs of matrices not counted; with them, `runJobsMax` counts. */
export const workflowJobsMax = 10_000

/** Legs of one job. GitHub: 256 jobs per matrix. */
export const matrixLegsMax = 256

/** Length of a job's shown name. `actions/runner JobNameBuilder`. */
export const jobNameLengthMax = 100

/** Length of a concurrency group's name (actions-semantics 132). */
export const concurrencyGroupLengthMax = 400

/** `timeout-minutes` of a job that has none. `actions/runner WorkflowConstants`. */
export const jobTimeoutMinutesDefault = 360

/** Longest time of a job, whatever its `timeout-minutes`: five days, as GitHub gives a job on a machine of one's own (actions-semantics 145). */
export const jobTimeoutMinutesMax = 5 * 24 * 60

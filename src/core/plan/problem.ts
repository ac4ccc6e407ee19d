/** Why a job cannot be expanded. It never leaves this folder: `expandJob` answers `invalid` with its message. */
export class PlanProblem extends Error {}

/**
 * Why an evaluation cannot give a value. It never leaves this folder: the door (`evaluate.ts`) turns it into a
 * `KnownError` that names the expression.
 */
export class EvaluationProblem extends Error {}

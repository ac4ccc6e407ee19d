/** A part of a job that is none of its steps and yet shows as one, as on GitHub (actions-semantics 149). */
export interface Phase {
  readonly id: string
  readonly name: string
}

/**
 * The phases of a job in the order in which they happen; steps with their "Pre …" and "Post …" stand in the middle. Only
 * "Set up job" happens always, and has the number 0. A dot stands in the other ids, because no generated id of a step has one.
 */
export const phases = {
  setUpJob: { id: '__set_up', name: 'Set up job' },
  setUpRunner: { id: '__.set_up_runner', name: 'Set up runner' },
  initializeContainers: { id: '__.initialize_containers', name: 'Initialize containers' },
  stopContainers: { id: '__.stop_containers', name: 'Stop containers' },
  completeRunner: { id: '__.complete_runner', name: 'Complete runner' },
  completeJob: { id: '__.complete_job', name: 'Complete job' },
} as const satisfies Readonly<Record<string, Phase>>

/** Whether what shows as a step is a phase of its job. */
export function isPhase(step: { readonly number: number; readonly id: string }): boolean {
  return step.number === 0 || step.id.startsWith('__.')
}

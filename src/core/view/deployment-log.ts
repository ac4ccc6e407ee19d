import type { StoredEvent } from '#core/run/event.ts'

/** What a step's log has told of the deployment that the step waits for. */
export interface ToldDeployment {
  targets: number
  phase?: string
  /** Why the environment is held: the end of the deployment has the same reason. */
  held?: string
}

export function startTelling(): ToldDeployment {
  return { targets: 0 }
}

/** An event of a deployment as a line for the log of the step that waits for it; with one target each phase is one line. */
export function deploymentLogLine(told: ToldDeployment, event: StoredEvent['event']): string | undefined {
  switch (event.type) {
    case 'deployment.created':
      told.targets = event.targets.length
      return `Deploying ${event.version} to ${event.environment} (${event.targets.join(', ')})`
    case 'deployment.waiting':
      return `Waiting: ${event.reason.message}${event.reason.hint === undefined ? '' : ` ${event.reason.hint}`}`
    case 'deployment.phase':
      return phaseLine(told, event.phase, event.target)
    case 'deployment.progress':
      return event.target === undefined || told.targets === 1 ? `  ${event.line}` : `  ${event.target}: ${event.line}`
    case 'environment.held':
      told.held = event.reason.message
      return `Held: ${event.reason.message}`
    case 'deployment.finished':
      return event.reason === undefined || event.reason.message === told.held
        ? event.conclusion
        : `${event.conclusion}: ${event.reason.message}`
    default:
      return undefined
  }
}

function phaseLine(told: ToldDeployment, phase: string, target: string | undefined): string | undefined {
  const isSaid = told.phase === phase && told.targets === 1
  told.phase = phase
  if (isSaid) return undefined
  return target === undefined || told.targets === 1 ? phase : `${phase} ${target}`
}

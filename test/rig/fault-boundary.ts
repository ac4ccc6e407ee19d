import type { DeploymentEffect } from '#core/deployment/state.ts'
import type { Side } from './held-host.ts'

/** What comes over a command while a deployment of it is under way. */
export type Fault = 'SIGKILL' | 'Ctrl-C' | 'a cut connection' | 'a full disk'
export const faults: readonly Fault[] = ['SIGKILL', 'Ctrl-C', 'a cut connection', 'a full disk']

/** What each step of a deployment runs on a host: names and texts. A new kind of step does not compile until it is there. */
export type StepScripts = Readonly<Record<DeploymentEffect['kind'], Readonly<Record<string, string>>>>
export type Step = DeploymentEffect['kind']

/** What is done when the fault comes. */
export interface Flow {
  readonly name: string
  readonly command: 'deploy' | 'rollback'
  readonly steps: readonly Step[]
  /** Scripts that do not run. */
  readonly without?: readonly string[]
}

/** A call to a host that has not begun, or that has ended and nobody knows of it; or the question for health, which goes to no host. */
export type Standstill<Host extends string> =
  | { readonly host: Host; readonly side: Side; readonly call: string }
  | 'verify'

export interface Boundary<F extends Flow, Host extends string> {
  readonly flow: F
  readonly at: Standstill<Host>
}

export const wholeWay: readonly Step[] = ['gate', 'prepare', 'switch', 'verify', 'confirm']

/** Every boundary between two steps of a flow. */
export function boundariesOf<F extends Flow, Host extends string>(
  flow: F,
  scripts: StepScripts,
  hosts: readonly Host[],
): readonly Boundary<F, Host>[] {
  return flow.steps.flatMap((step): readonly Boundary<F, Host>[] => {
    if (step === 'verify') return [{ flow, at: 'verify' }]
    const calls = Object.keys(scripts[step]).filter((call) => flow.without?.includes(call) !== true)
    return calls.flatMap((call) =>
      hosts.flatMap((host) => (['before', 'after'] as const).map((side) => ({ flow, at: { host, side, call } }))),
    )
  })
}

/** As `before "switch"`. */
export function wordsOf({ at }: Boundary<Flow, string>): string {
  return at === 'verify' ? 'while its health is asked' : `${at.side} "${at.call}"`
}

/** What is seen of boundaries where nothing is forgotten, as `host before switch`. */
export function linesOf(boundaries: readonly Boundary<Flow, string>[]): readonly string[] {
  const lines = boundaries.flatMap(({ at }) => (at === 'verify' ? [] : [`${at.host} ${at.side} ${at.call}`]))
  return [...new Set(lines)].toSorted()
}

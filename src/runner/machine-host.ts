import { findProgram } from './find-program.ts'
import type { ShellOffer, StepHost } from './step-host.ts'
import { runProcess } from './step-process.ts'
import type { ProcessPlan } from './step-process.ts'

/** Steps as processes of this machine. */
export function machineHost(baseEnv: Readonly<Record<string, string>>): StepHost {
  return {
    kind: 'machine',
    baseEnv,
    prefersBash: true,
    node: process.execPath,
    inside: (path) => path,
    outside: (path) => path,
    share: () => {},
    findProgram,
    offerShell: (plan) => Promise.resolve(offerShell(plan)),
    run: runProcess,
  }
}

function offerShell({ cwd, env }: Pick<ProcessPlan, 'cwd' | 'env'>): ShellOffer {
  const bash = findProgram('bash', env['PATH'] ?? '', cwd)
  const argv = bash === undefined ? ['/bin/sh', '-i'] : [bash, '--noprofile', '--norc', '-i']
  return { argv, cwd, env, place: cwd, [Symbol.asyncDispose]: async () => {} }
}

import { findProgram } from './find-program.ts'
import type { StepHost } from './step-host.ts'
import { runProcess } from './step-process.ts'

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
    run: runProcess,
  }
}

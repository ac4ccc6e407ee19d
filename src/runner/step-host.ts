import type { FailedStep } from '#core/run/job-order.ts'
import type { Stop } from './job-control.ts'
import type { ProcessPlan, ProcessRunner, ProcessSink } from './step-process.ts'

/** What opens a shell on a terminal of this machine, or why there is none. */
export type ShellOffer =
  | (Pick<FailedStep, 'argv' | 'cwd' | 'env' | 'place'> & AsyncDisposable)
  | { readonly why: string }

/** Prepares a shell in the world of one step. What it has made for that goes when the offer is disposed of. */
export type OfferShell = (stop: Stop) => Promise<ShellOffer>

/**
 * Where the processes of a job's steps run: this machine, or the container of the job. Everything that starts a process for
 * a step goes through it, so that a script, a JavaScript action and whatever comes later work in both.
 *
 * The runner itself always works with paths of this machine; steps see paths of their host. `inside` and `outside` are the
 * two directions. A path that both see by the same name, or that only one of them has, comes back as it was.
 */
export interface StepHost {
  readonly kind: 'machine' | 'container'
  /** What processes inherit, below everything that the workflow says. */
  readonly baseEnv: Readonly<Record<string, string>>
  /** Whether a step without `shell:` gets bash where it is found (actions-semantics 41). */
  readonly prefersBash: boolean
  /** The Node that JavaScript actions run with, as the host sees it. */
  readonly node: string
  /** Throws NODE_UNUSABLE when that Node does not start there; asked once, before the first JavaScript action. */
  proveNode?(): Promise<void>
  /** A path of this machine, as steps see it. */
  inside(path: string): string
  /** A path that a step named, on this machine. */
  outside(path: string): string
  /** Lets steps read and change a file or folder that the runner made, whoever they run as. */
  share(path: string, kind: 'file' | 'folder'): void
  /** The program that a name means on the PATH of a step; undefined when there is none. */
  findProgram(name: string, path: string, cwd: string): string | undefined
  /** A shell in the folder, with the variables as the host sees them: for who looks around where a step has failed. */
  offerShell(plan: Pick<ProcessPlan, 'cwd' | 'env'>, stop: Stop): Promise<ShellOffer>
  /**
   * Runs one program to its end and returns its exit code. `argv` and `env` are as the host sees them; `cwd` may be either.
   * A stop reaches the program and what it has started, wherever it runs.
   */
  run(plan: ProcessPlan, sink: ProcessSink, runner: ProcessRunner, stop: Stop): Promise<number>
}

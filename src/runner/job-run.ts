import type { JsonObject } from '#core/json.ts'
import { reportError } from '#core/errors.ts'
import type { Redactor } from '#core/redact/redactor.ts'
import type { Annotation, Conclusion, JobOrder, StepReport } from '#core/run/job-order.ts'
import { annotationLengthMax, annotationsPerJobMax, annotationsPerStepMax } from '#core/step/annotation.ts'
import type { AnnotationPlace } from '#core/step/annotation.ts'
import type { ArtifactSubject } from '#core/step/artifact-file.ts'
import type { LogStream } from '#core/step/log-index.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import type { StepModel } from '#core/workflow/model.ts'
import type { AgentChannel, JobTag } from './agent-channel.ts'
import type { JobControl } from './job-control.ts'
import type { JobLog } from './job-log.ts'
import { ProblemMatchers } from './matcher/problem-matchers.ts'
import type { JobService } from './service/job-service.ts'
import type { Docker } from './container/docker.ts'
import type { OfferShell, StepHost } from './step-host.ts'
import type { RunnerTimings } from './timings.ts'
import type { Watchdog } from './watchdog.ts'

/** What a runner has for every job. */
export interface RunnerWorld {
  readonly channel: AgentChannel
  readonly watchdog: Watchdog
  readonly timings: RunnerTimings
  /** Milliseconds since 1970. */
  now(): number
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `runner.name`. */
  readonly name: string
}

/** One entry of the `steps` context. */
export interface StepRecord {
  readonly outputs: Record<string, string>
  outcome: Conclusion | ''
  conclusion: Conclusion | ''
}

/** A job goes through its steps three times: what actions do before all steps, the steps, and what actions do after all steps (actions-semantics 104). */
export type Stage = 'pre' | 'main' | 'post'

/** An action that is ready to run. */
export interface LoadedAction {
  /** As the step names it. */
  readonly uses: string
  readonly folder: string
  /** Its repository, or the workspace: nothing outside belongs to it. */
  readonly root: string
  readonly model: ActionModel
  /** Absent for an action of the workspace. */
  readonly origin?: { readonly repository: string; readonly ref: string }
}

/** One use of an action: what its stages share. */
export interface ActionUse {
  /** `STATE_*` of the stages that follow (80). */
  readonly state: Record<string, string>
  /** Kept for the post stage: what was read from the workspace may be gone by then. */
  action?: LoadedAction
  /** Where the steps of a composite action run. */
  inner?: Frame
  /** Condition of the post stage. */
  postIf: string
  /** Name of the step as it was shown. */
  name?: string
}

/**
 * Where a list of steps runs: the job itself, or one call of a composite action. Steps see the results of their own
 * frame only.
 */
export interface Frame {
  /** 0 in the job. */
  readonly depth: number
  /** Ids of the steps on the way to this action, joined by dots; empty in the job. */
  readonly scope: string
  readonly steps: Record<string, StepRecord>
  /** Whether a step of this frame has failed; a cancel is the job's. */
  status: 'success' | 'failure'
  /** Why, from the first step that failed. */
  failure?: string
  /** Variables of the calling steps: they win over those of the job, and end with the call. */
  readonly env: Readonly<Record<string, string>>
  readonly inputs: JsonObject
  /** Members of the `github` context that differ in here. */
  readonly github: JsonObject
  /** The actions that steps of this frame use. */
  readonly uses: Map<StepModel, ActionUse>
  /** Steps whose action wants its post stage, in the order in which they asked for it. */
  readonly posts: StepModel[]
  /** A shell where the first of its steps failed. */
  offerShell?: OfferShell
}

/** A frame in which nothing has run. */
export function makeFrame(init: Pick<Frame, 'depth' | 'scope' | 'env' | 'inputs' | 'github'>): Frame {
  return { ...init, steps: {}, status: 'success', uses: new Map(), posts: [] }
}

/** Id of a step below those of the actions that it stands in: `outer.inner.__run`. */
export function scopedId({ scope }: Frame, { id }: StepModel): string {
  return scope === '' ? id : `${scope}.${id}`
}

/** What the stages of a step's action share. */
export function useOf(frame: Frame, step: StepModel): ActionUse {
  const known = frame.uses.get(step)
  if (known !== undefined) return known
  const use: ActionUse = { state: {}, postIf: 'always()' }
  frame.uses.set(step, use)
  return use
}

/** Asks for the post stage of a step's action. The stages run in reverse order, each once (104). */
export function registerPost(frame: Frame, step: StepModel, postIf: string): void {
  useOf(frame, step).postIf = postIf
  if (!frame.posts.includes(step)) frame.posts.push(step)
}

/** Whether a registered post stage has something to do: a composite action has only what its inner actions have asked for. */
export function wantsPost(frame: Frame, step: StepModel): boolean {
  const inner = frame.uses.get(step)?.inner
  return inner === undefined || inner.posts.length > 0
}

/** How a step ended, before `continue-on-error`. */
export interface StepEnd {
  readonly outcome: Conclusion
  /** One sentence, when it is not green. */
  readonly reason?: string
  /** A shell where it failed, of a step that did not run as a process of the job's host, or of the step of a composite action. */
  readonly offerShell?: OfferShell
}

export const STEP_SUCCEEDED: StepEnd = { outcome: 'success' }

/** Characters of a name, a reason or an address that reach the agent: they become rows and lines on a screen. The log has them whole. */
export const TOLD_LENGTH_MAX = 4096

/** One step of a job that has failed, with what the steps after it saw: for `rerun --from-step`. */
export interface StepMemory {
  /** Place among the steps of the job, from 0. */
  readonly index: number
  readonly id: string
  readonly name: string
  readonly outcome: Conclusion
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly path: readonly string[]
}

/** The containers around a job. */
export interface Surroundings {
  /** Name of the network that everything of the job shares. */
  readonly network: string
  /** Prints what the services said. */
  tell(): Promise<void>
}

/** The network that a container of a step joins. */
export interface JobNetwork {
  /** Undefined when none could be made: the step gets the engine's own. */
  readonly name: string | undefined
  /** This machine as its containers reach it. */
  readonly address: string | undefined
}

/** What all steps of a job share, also those that run beside the others. */
interface JobCommons {
  /** The engine, once something of the job has asked for it. */
  docker: Docker | undefined
  /** Artifact and cache service, once an action needed it (`service/environment.ts`). */
  service: Promise<JobService> | undefined
  /** Network of the containers of steps, in a job that has no others (`container/job-network.ts`). */
  network: Promise<JobNetwork> | undefined
  /** Where the run's own repository lies at the commit that runs, once a step needed it: `$/path`. */
  ownRepository: Promise<string> | undefined
  /** What steps have declared in `GITHUB_ARTIFACTS`, by name. */
  artifacts: ReadonlyMap<string, ArtifactSubject>
  /** How many steps have left one. */
  summaries: number
  /** Names for files in the job's temporary folder. */
  files: number
}

/** What a job begins with. */
export interface JobInit {
  readonly order: JobOrder
  readonly world: RunnerWorld
  readonly control: JobControl
  readonly redactor: Redactor
  readonly log: JobLog
  readonly github: JsonObject
  readonly runner: JsonObject
  readonly machine: StepHost
  readonly isDebug: boolean
  readonly isRunnerDebug: boolean
  readonly mark: string
}

/** State of the job that runs now. It lives in memory: a job that is interrupted is started again as a whole. */
export class JobRun {
  readonly order: JobOrder
  readonly world: RunnerWorld
  readonly control: JobControl
  readonly redactor: Redactor
  readonly log: JobLog
  readonly tag: JobTag
  /** Members that the runner adds: `workspace`, `event_path`, `job` … Paths are those that steps see. */
  github: JsonObject
  runner: JsonObject
  /** This machine: for what the runner does itself, built-in actions for example. */
  readonly machine: StepHost
  /** Where the steps run: this machine, until the job's container has started. */
  host: StepHost
  readonly isDebug: boolean
  /** `ACTIONS_RUNNER_DEBUG`: the log says what the runner does. */
  readonly isRunnerDebug: boolean
  /** `RUNNER_TRACKING_ID`: marks every process of the job. */
  readonly mark: string
  /** Containers around the job, while there are any. */
  containers: Surroundings | undefined
  /** Where steps reach this machine; loopback when they run on it. */
  serviceAddress: string | undefined
  /** `job.container` and `job.services`. */
  containerContext: JsonObject = {}
  /** `env` of workflow and job, changed by `GITHUB_ENV`. */
  readonly env: Record<string, string>
  /** Folders from `GITHUB_PATH`, in the order in which they were added. */
  pathAdditions: readonly string[] = []
  /** `defaults.run`, evaluated. */
  defaults: { readonly shell?: string; readonly workingDirectory?: string } = {}
  /** Why the job is not green, from the first step that failed. */
  reason: string | undefined
  /** The frame of the job's own steps. */
  readonly root: Frame
  stage: Stage = 'main'
  /** Actions of other repositories, by the text of `uses`: all are there before the first step (99). */
  readonly remoteActions: Map<string, LoadedAction>
  /** Number of the step that runs now, for the log and the annotations. */
  stepNumber = 0
  /** What the file of the event looked like when it was written. */
  eventStamp: string | undefined
  readonly annotations: Annotation[]
  /** What steps have told to look for in output. */
  readonly matchers: ProblemMatchers
  /** Steps that are done, for `rerun --from-step`. */
  readonly history: StepMemory[]
  readonly commons: JobCommons

  /** `from`: see `fork`. */
  constructor(init: JobInit, from?: JobRun) {
    const { runId, jobKey, attempt } = init.order
    this.tag = { runId, jobKey, attempt }
    this.order = init.order
    this.matchers = from?.matchers ?? new ProblemMatchers((message) => this.announce('warning', message))
    this.root =
      from?.root ?? makeFrame({ depth: 0, scope: '', env: {}, inputs: init.order.contexts.inputs, github: {} })
    this.remoteActions = from?.remoteActions ?? new Map<string, LoadedAction>()
    this.annotations = from?.annotations ?? []
    this.history = from?.history ?? []
    this.env = { ...from?.env }
    this.commons = from?.commons ?? {
      docker: undefined,
      service: undefined,
      network: undefined,
      ownRepository: undefined,
      artifacts: new Map(),
      summaries: 0,
      files: 0,
    }
    this.world = init.world
    this.control = init.control
    this.redactor = init.redactor
    this.log = init.log
    this.github = init.github
    this.runner = init.runner
    this.machine = init.machine
    this.host = init.machine
    this.isDebug = init.isDebug
    this.isRunnerDebug = init.isRunnerDebug
    this.mark = init.mark
  }

  /**
   * The job as a step sees it that runs beside the others: everything is shared but what is told to stop, the number of the step, and what it changes
   * for later steps, which see it when somebody has waited for it (actions-semantics 60).
   */
  fork(): JobRun {
    const { order, world, redactor, log, github, runner, machine, isDebug, isRunnerDebug, mark } = this
    const control = this.control.fork()
    const shared = { order, world, redactor, log, github, runner, machine, isDebug, isRunnerDebug, mark }
    const fork = new JobRun({ ...shared, control }, this)
    fork.host = this.host
    fork.containers = this.containers
    fork.serviceAddress = this.serviceAddress
    fork.containerContext = this.containerContext
    fork.pathAdditions = this.pathAdditions
    fork.defaults = this.defaults
    fork.stepNumber = this.stepNumber
    fork.eventStamp = this.eventStamp
    return fork
  }

  /** From now on steps run there, and see its paths. */
  enter(host: StepHost): void {
    this.host = host
    const translate = (context: JsonObject, names: readonly string[]): JsonObject => ({
      ...context,
      ...Object.fromEntries(names.map((name) => [name, host.inside(String(context[name]))])),
    })
    this.github = translate(this.github, ['workspace', 'event_path'])
    this.runner = translate(this.runner, ['temp', 'tool_cache', 'workspace'])
  }

  nextFileNumber(): number {
    return (this.commons.files += 1)
  }

  /** Puts a folder before PATH for the steps that follow. */
  addPath(folder: string): void {
    this.pathAdditions = [...this.pathAdditions.filter((added) => added !== folder), folder]
  }

  /** Appends lines of the runner itself to the log, masked. A line may hold line ends. */
  print(lines: readonly string[], stream: LogStream = 'system'): void {
    if (lines.length === 0) return
    const text = this.redactor.redact(`${lines.join('\n')}\n`)
    this.log.write(Buffer.from(text), this.stepNumber, stream)
  }

  /** What the runner itself does, for who has asked for it with ACTIONS_RUNNER_DEBUG (actions-semantics 85). */
  diagnose(lines: () => readonly string[]): void {
    if (this.isRunnerDebug) this.print(lines().map((line) => `##[debug]${line}`))
  }

  /** Records an annotation, masked and within GitHub's limits. Says nothing in the log. */
  annotate(level: Annotation['level'], message: string, place: AnnotationPlace = {}): void {
    const isSame = (annotation: Annotation) => annotation.level === level && annotation.step === this.stepNumber
    if (this.annotations.length >= annotationsPerJobMax) return
    if (this.annotations.filter(isSame).length >= annotationsPerStepMax) return
    this.annotations.push({
      level,
      message: this.redactor.redact(message).slice(0, annotationLengthMax),
      ...place,
      ...(place.title === undefined ? {} : { title: this.redactor.redact(place.title) }),
      ...(place.file === undefined ? {} : { file: this.redactor.redact(place.file) }),
      jobKey: this.order.jobKey,
      step: this.stepNumber,
    })
  }

  /** An annotation of the runner itself, with its line in the log. Cut when it is masked, so that no half of a secret is left. */
  announce(level: Annotation['level'], message: string): void {
    const masked = this.redactor.redact(message)
    const isLong = masked.length > annotationLengthMax
    this.print([`##[${level}]${isLong ? `${masked.slice(0, annotationLengthMax)}…` : masked}`])
    this.annotate(level, masked)
  }

  /** Says in log and annotation why a step fails, and returns its end. */
  failStep(error: unknown): StepEnd {
    const report = reportError(error)
    this.announce('error', report.message)
    this.print([...(report.details ?? []), ...(report.hint === undefined ? [] : [report.hint])])
    if (report.code === 'BUG' && error instanceof Error) this.print([error.stack ?? ''])
    return { outcome: 'failure', reason: report.message }
  }

  /** A text for the agent: masked, and not longer than it keeps. Names and reasons may be made of what a step has written. */
  tellable(text: string): string {
    const masked = this.redactor.redact(text)
    return masked.length <= TOLD_LENGTH_MAX ? masked : `${masked.slice(0, TOLD_LENGTH_MAX)}…`
  }

  /** Tells the agent about a step, masked. */
  reportStep(step: StepReport): void {
    this.world.channel.send({
      type: 'step',
      ...this.tag,
      step: {
        ...step,
        name: this.tellable(step.name),
        ...(step.reason === undefined ? {} : { reason: this.tellable(step.reason) }),
      },
    })
  }
}

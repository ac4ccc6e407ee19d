import type { ConcurrencyGroup } from '#core/plan/concurrency.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { JobModel, RunDefaults, Template } from '#core/workflow/model.ts'
import type { Permissions } from '#core/workflow/permission.ts'

/**
 * One leg of a job after matrix expansion: what the scheduler needs to know before a runner takes it.
 * A job without a matrix has exactly one leg.
 */
export interface JobLeg {
  /** Position among the legs, from 0 (`strategy.job-index`). */
  readonly index: number
  /** Number of legs (`strategy.job-total`). */
  readonly total: number
  /** Shown to people: `test (20, linux)`. */
  readonly name: string
  readonly matrix: JsonObject
  readonly runsOn: readonly string[]
  /** Image that the platform of its labels names: the whole job runs in a container of it. Absent on the machine itself. */
  readonly image?: string
  readonly failFast: boolean
  /** 0 means no limit. */
  readonly maxParallel: number
  readonly timeoutMinutes: number
  /** `cancel-timeout-minutes`, where the job has one; else 5. */
  readonly cancelTimeoutMinutes?: number
  readonly continueOnError: boolean
  /** Environment name; its `url` stays a template until the job ends. */
  readonly environment?: { readonly name: string; readonly url?: Template }
  readonly concurrency?: ConcurrencyGroup
  /** `rerun --from-step`: steps before this one are kept from an earlier attempt, in the folder of that attempt. */
  readonly resume?: StepResume
  /** There in a leg that runs no steps, but calls a reusable workflow. */
  readonly call?: JobCall
}

/** A call of a reusable workflow with everything that its jobs see of the caller, but for secrets: those are never stored. */
export interface JobCall {
  /** See `calledFile`; the model is in the run's document. */
  readonly file: string
  readonly inputs: JsonObject
  /** The called workflow's own group. */
  readonly concurrency?: ConcurrencyGroup
}

/** Where a job goes on. */
export interface StepResume {
  /** Of the job: names its folder. */
  readonly attempt: number
  /** Place of the first step that runs again, from 0, and its name. */
  readonly index: number
  readonly name: string
}

/**
 * Everything that a runner needs to execute one attempt of one job, self-contained: a runner reads no store and no
 * workflow file. It travels over the pipe between agent and runner, never through argv or the environment, because
 * it holds secrets.
 */
export interface JobOrder {
  readonly runId: string
  /** Unique in the run, safe as a file name: see `JobState.key`. */
  readonly jobKey: string
  /** Fencing token: counts up with every start of this job; every message of the runner repeats it. */
  readonly attempt: number
  readonly job: JobModel
  readonly leg: JobLeg
  readonly workflow: {
    readonly name: string
    readonly file: string
    readonly env?: Template
    readonly defaults?: RunDefaults
  }
  readonly contexts: {
    readonly github: JsonObject
    readonly vars: Readonly<Record<string, string>>
    readonly secrets: Readonly<Record<string, string>>
    readonly inputs: JsonObject
    /** `needs.<id>.{result,outputs}` of the direct needs. */
    readonly needs: JsonObject
  }
  /** `--env k=v`: below the workflow's own `env`. */
  readonly extraEnv: Readonly<Record<string, string>>
  /** What the token may do, where a file says so; else the repository's setting counts. */
  readonly permissions?: Permissions
  readonly resume?: StepResume
  /** A step that fails asks for a shell in its world before the job goes on: `run --shell-on-failure`. */
  readonly hasShell?: boolean
  /** `containers.pull: always`: an image that is on the machine is pulled all the same. */
  readonly pullsAlways?: boolean
  /** Texts to mask besides the secrets. */
  readonly masks: readonly string[]
  readonly source: SourceRef
  readonly paths: JobPaths
  /** `cancel-timeout-minutes`, the time after a cancel in which `always()` steps may run. */
  readonly cancelTimeoutMinutes: number
}

/** Where `actions/checkout` takes the code from: a git repository on this machine that has the commit. */
export interface SourceRef {
  readonly repository: string
  readonly sha: string
  readonly ref: string
}

/** Absolute paths that the runner uses for one job attempt. The runner makes the folders. */
export interface JobPaths {
  /** `$SHIPWAY_HOME`. */
  readonly home: string
  /** Folder with the `shipway` program, last on the PATH of steps. */
  readonly programs: string
  /** GITHUB_WORKSPACE, empty when the job starts. */
  readonly workspace: string
  /** What the steps of a failed job have left: see `rerun --from-step`. */
  readonly history: string
  /** RUNNER_TEMP. */
  readonly temp: string
  /** The job's own copies of actions of other repositories: `<owner>/<repo>/<commit>`. */
  readonly actions: string
  /** RUNNER_TOOL_CACHE, shared between runs. */
  readonly toolCache: string
  /** The log, plain text. Its index is `<log>.idx`. */
  readonly log: string
  /** Artifact manifests of the run: `<artifacts>/<name>.json`; contents are blobs. */
  readonly artifacts: string
  /** Blob store, `sha256/ab/abcd…`. */
  readonly blobs: string
  /** `runs/<id>/summary/<job key>.<attempt>.md`. */
  readonly summary: string
}

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped'

export interface Annotation {
  readonly level: 'notice' | 'warning' | 'error'
  readonly message: string
  readonly title?: string
  readonly file?: string
  readonly line?: number
  readonly endLine?: number
  readonly column?: number
  readonly endColumn?: number
  /** What the program that a problem matcher understood calls it: `E501`. */
  readonly code?: string
  readonly jobKey: string
  readonly step: number
}

/** State of one step as the runner reports it: once when it starts, once when it ends. */
export interface StepReport {
  /** From 1, in order of execution; "Set up job" is 0. */
  readonly number: number
  readonly id: string
  readonly name: string
  readonly status: 'running' | 'done'
  /** Result before `continue-on-error`. */
  readonly outcome?: Conclusion
  /** Result after `continue-on-error`. */
  readonly conclusion?: Conclusion
  readonly durationMs?: number
  /** Why it failed or was skipped, one sentence. */
  readonly reason?: string
  /** Range of the step's lines in the log, in bytes. */
  readonly logStart?: number
  readonly logEnd?: number
}

/** How one attempt of a job ended. */
export interface JobResult {
  readonly conclusion: Conclusion
  readonly outputs: Readonly<Record<string, string>>
  readonly annotations: readonly Annotation[]
  readonly environmentUrl?: string
  /** Why it is not green, one sentence that names the step. */
  readonly reason?: string
}

/** Agent → runner. One JSON document per line. */
export type AgentMessage =
  | { readonly type: 'job'; readonly order: JobOrder }
  | { readonly type: 'cancel'; readonly jobKey: string; readonly attempt: number; readonly reason: string }
  | { readonly type: 'reply'; readonly requestId: number; readonly result: Json }
  | { readonly type: 'reply-error'; readonly requestId: number; readonly error: Json }
  /** A line of progress to a request: the runner writes it to the step's log. */
  | { readonly type: 'progress'; readonly requestId: number; readonly line: string }
  | { readonly type: 'shutdown' }

/** Runner → agent. Every message about a job carries the fencing token. */
export type RunnerMessage =
  | { readonly type: 'ready'; readonly pid: number }
  | { readonly type: 'heartbeat'; readonly runId: string; readonly jobKey: string; readonly attempt: number }
  | {
      readonly type: 'step'
      readonly runId: string
      readonly jobKey: string
      readonly attempt: number
      readonly step: StepReport
    }
  /** The log has grown to `bytes`; sent at most every 50 ms, and always before `done`. */
  | {
      readonly type: 'log'
      readonly runId: string
      readonly jobKey: string
      readonly attempt: number
      readonly bytes: number
    }
  | {
      readonly type: 'done'
      readonly runId: string
      readonly jobKey: string
      readonly attempt: number
      readonly result: JobResult
    }
  /** `shipway/deploy@v1` and its like: only the agent may do it. Answered by `reply` or `reply-error`. */
  | {
      readonly type: 'request'
      readonly runId: string
      readonly jobKey: string
      readonly attempt: number
      readonly requestId: number
      readonly request: RunnerRequest
    }

/** What a step may ask of the agent. */
export type RunnerRequest =
  | { readonly kind: 'deploy'; readonly environment: string; readonly release?: string }
  /** The files of `owner/repo[/path]@ref`: answered by an `ActionReply`. */
  | { readonly kind: 'action'; readonly uses: string }
  /** A repository with the commit of `owner/repo@ref`: answered by a `RepositoryReply`. */
  | { readonly kind: 'repository'; readonly uses: string }
  /** Whether artifacts of another run may be read: refused for one of another repository. Answered by an empty document. */
  | { readonly kind: 'artifacts'; readonly run: string }
  | ({ readonly kind: 'shell' } & FailedStep)

/** Where the repository of an action is on this machine. */
export interface ActionReply {
  /** Absolute path of a read-only folder with the whole repository. */
  readonly folder: string
  readonly commit: string
}

/** Where a commit of another repository is on this machine. */
export interface RepositoryReply {
  /** Absolute path of a bare git repository that has it; nobody may write into it. */
  readonly repository: string
  readonly commit: string
}

/** The world of a step that has failed, for `run --shell-on-failure`. Answered when the shell was left. */
export interface FailedStep {
  readonly number: number
  readonly name: string
  readonly argv: readonly string[]
  /** A folder of this machine: of the shell, or of the program that takes the terminal into a container. */
  readonly cwd: string
  /** Where the shell is, as people are told. */
  readonly place: string
  /** All variables of the step's processes, secrets among them: for this user's own terminal and nothing else. */
  readonly env: Readonly<Record<string, string>>
}

/** What became of the wish for a shell. */
export type ShellAnswer = { readonly isOpened: true } | { readonly isOpened: false; readonly why: string }

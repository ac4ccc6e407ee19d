import { hasErrors } from '#core/diagnostic.ts'
import type { Diagnostic, Parsed } from '#core/diagnostic.ts'
import { reporter } from './report.ts'
import type { Report } from './report.ts'
import { checkCall } from './check-call.ts'
import { calledFile } from './called-file.ts'
import { allInOrder } from './in-order.ts'
import { callDepthMax, calledFilesMax, workflowJobsMax } from './limits.ts'
import type { JobModel, WorkflowModel } from './model.ts'
import { defaultPermissions, permissionExcess, readPermissions } from './permission.ts'
import type { Permissions } from './permission.ts'

/** What became of the wish to read a called workflow file. A problem is one sentence, shown where the file is called. */
export type CalledSource =
  | { readonly kind: 'file'; readonly text: string; readonly parsed: Parsed<WorkflowModel> }
  | { readonly kind: 'problem'; readonly message: string; readonly hint?: string }
  /** It cannot be seen from here, which is no mistake: nothing is said of it, and its jobs are not followed. */
  | { readonly kind: 'unknown' }

/** Reads a called file by its name: see `calledFile`. Called once for each. */
export type ReadCalled = (file: string) => Promise<CalledSource>

export interface LinkOptions {
  /** Files on the way to the deepest one, the first counted. */
  readonly depthMax?: number
  readonly jobsMax?: number
  /** What the token may do where no file says anything: the setting of the repository. */
  readonly permissions?: 'read' | 'write'
}

/** A workflow with all that it calls, directly or not. */
export interface LinkedWorkflow {
  readonly workflow: WorkflowModel
  /** By file: see `calledFile`. */
  readonly calls: Readonly<Record<string, WorkflowModel>>
}

export interface Linked {
  readonly value: LinkedWorkflow | undefined
  /** Of the workflow's own file. */
  readonly diagnostics: readonly Diagnostic[]
  /** The called files that were read, with what is wrong in them. */
  readonly files: readonly CalledText[]
}

export interface CalledText {
  readonly file: string
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads what a workflow calls and checks everything that only both files together can tell: inputs, secrets, permissions,
 * depth, circles and sizes. All problems are reported, each in the file where it can be mended.
 */
export async function linkCalls(workflow: WorkflowModel, read: ReadCalled, options: LinkOptions = {}): Promise<Linked> {
  const linking = new Linking(read, options)
  await linking.load(workflow)
  if (!linking.hasProblems) linking.follow(workflow, { chain: [workflow.file], allowed: undefined })
  return linking.result(workflow)
}

/** Where a file is called from. */
interface Chain {
  /** Files from the run's own to this one. */
  readonly chain: readonly string[]
  /** What the callers allow; undefined when none of them says anything. */
  readonly allowed: Permissions | undefined
}

class Linking {
  readonly #read: ReadCalled
  readonly #options: Required<LinkOptions>
  readonly #models = new Map<string, WorkflowModel>()
  readonly #sources = new Map<string, CalledSource>()
  readonly #diagnostics = new Map<string, Diagnostic[]>()
  /** Jobs below a file, by everything that its checks depend on. */
  readonly #followed = new Map<string, number>()

  constructor(
    read: ReadCalled,
    { depthMax = callDepthMax, jobsMax = workflowJobsMax, permissions = 'write' }: LinkOptions,
  ) {
    this.#read = read
    this.#options = { depthMax, jobsMax, permissions }
  }

  get hasProblems(): boolean {
    return [...this.#diagnostics.values()].some(hasErrors)
  }

  /** Reads all files that are called from this one, each once, and checks each call by itself. */
  async load(root: WorkflowModel): Promise<void> {
    const waiting = [root]
    for (let workflow = waiting.shift(); workflow !== undefined; workflow = waiting.shift()) {
      for (const job of workflow.jobs) {
        if (job.uses === undefined || job.places === undefined) continue
        const { isNew, called } = await this.#open(job, workflow)
        if (called === undefined) continue
        checkCall(job, called, this.#report(workflow.file))
        if (isNew) waiting.push(called)
      }
    }
  }

  /** Follows the calls as a run does, for what depends on the way: depth, circles, permissions, number of jobs. Returns that number. */
  follow(workflow: WorkflowModel, { chain, allowed }: Chain): number {
    const known = `${chain.length} ${workflow.file} ${JSON.stringify(allowed ?? null)}`
    const before = this.#followed.get(known)
    if (before !== undefined) return before
    const own = readPermissions(workflow.permissions) ?? allowed
    let jobs = workflow.jobs.length
    for (const job of workflow.jobs) {
      const called = this.#calledBy(job, workflow)
      if (called === undefined || !this.#isReachable(job, called, chain)) continue
      const given = readPermissions(job.permissions) ?? own
      this.#checkPermissions(job, called, { chain, allowed: given })
      jobs += this.follow(called, { chain: [...chain, called.file], allowed: given })
    }
    this.#followed.set(known, jobs)
    const first = workflow.jobs[0]
    if (chain.length === 1 && jobs > this.#options.jobsMax && first !== undefined) {
      const start = { start: first.position, end: first.position }
      this.#report(workflow.file)(
        start,
        'WORKFLOW_TOO_LARGE',
        `The workflow may not contain more than ${this.#options.jobsMax} jobs`,
      )
    }
    return jobs
  }

  result(workflow: WorkflowModel): Linked {
    const files = [...this.#sources].flatMap(([file, source]): readonly CalledText[] =>
      source.kind === 'file' ? [{ file, text: source.text, diagnostics: this.#of(file) }] : [],
    )
    const isWrong = this.hasProblems
    return {
      value: isWrong ? undefined : { workflow, calls: Object.fromEntries(this.#models) },
      diagnostics: this.#of(workflow.file),
      files,
    }
  }

  #of(file: string): readonly Diagnostic[] {
    return allInOrder(this.#diagnostics.get(file) ?? [])
  }

  #report(file: string): Report {
    const diagnostics = this.#diagnostics.get(file) ?? []
    this.#diagnostics.set(file, diagnostics)
    return reporter(file, diagnostics)
  }

  #calledBy(job: JobModel, from: WorkflowModel): WorkflowModel | undefined {
    return job.uses === undefined ? undefined : this.#models.get(calledFile(job.uses, from.file))
  }

  async #open(
    job: JobModel,
    from: WorkflowModel,
  ): Promise<{ readonly isNew: boolean; readonly called: WorkflowModel | undefined }> {
    const { uses = '', places } = job
    const file = calledFile(uses, from.file)
    const isNew = !this.#sources.has(file)
    const report = this.#report(from.file)
    if (isNew && this.#sources.size >= calledFilesMax) {
      report(
        places?.uses ?? nowhere,
        'CALL_TOO_MANY',
        `More than ${calledFilesMax} reusable workflow files are called.`,
      )
      return { isNew: false, called: undefined }
    }
    const source = this.#sources.get(file) ?? (await this.#read(file))
    this.#sources.set(file, source)
    if (source.kind === 'problem') {
      report(places?.uses ?? nowhere, 'CALL_NOT_FOUND', source.message, source.hint)
      return { isNew: false, called: undefined }
    }
    if (source.kind === 'unknown') return { isNew: false, called: undefined }
    const called = source.parsed.value
    if (isNew) {
      this.#diagnostics.set(file, [...(this.#diagnostics.get(file) ?? []), ...source.parsed.diagnostics])
      if (called !== undefined) this.#models.set(file, called)
    }
    if (called === undefined)
      report(places?.uses ?? nowhere, 'CALL_INVALID', `The called workflow ${file} is not valid.`)
    return { isNew, called }
  }

  #isReachable(job: JobModel, called: WorkflowModel, chain: readonly string[]): boolean {
    const from = chain.at(-1) ?? ''
    const place = job.places?.uses ?? nowhere
    if (chain.includes(called.file)) {
      const circle = [...chain.slice(chain.indexOf(called.file)), called.file].join(' → ')
      this.#report(from)(place, 'CALL_CIRCLE', `The workflow calls itself: ${circle}.`)
      return false
    }
    if (chain.length < this.#options.depthMax) return true
    const message = `Nested reusable workflow depth exceeded ${this.#options.depthMax - 1}.`
    this.#report(from)(place, 'CALL_TOO_DEEP', message)
    return false
  }

  /** A called workflow may only take away (actions-semantics 122). */
  #checkPermissions(job: JobModel, called: WorkflowModel, { chain, allowed }: Chain): void {
    const place = job.places?.job ?? nowhere
    const report = this.#report(chain.at(-1) ?? '')
    const limit = allowed ?? defaultPermissions[this.#options.permissions]
    const complain = (who: string, requested: Permissions | undefined): void => {
      const excess = requested === undefined ? undefined : permissionExcess(requested, limit)
      if (excess === undefined) return
      const message = `Error calling workflow '${job.uses}'. ${who} is requesting '${excess.requested}', but is only allowed '${excess.allowed}'.`
      report(place, 'PERMISSION_EXCEEDED', message, 'Allow it in "permissions" of the calling job.')
    }
    complain(`The workflow '${job.uses}'`, readPermissions(called.permissions))
    for (const nested of called.jobs) {
      const name = typeof nested.name === 'string' ? nested.name : nested.id
      complain(`The nested job '${name}'`, readPermissions(nested.permissions))
    }
  }
}

const nowhere = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }

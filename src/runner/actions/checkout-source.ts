import { isJsonObject } from '#core/json.ts'
import { actionReplyInvalid } from '#core/known/action.ts'
import { actionInputInvalid, checkoutFailed } from '#core/known/runner.ts'
import { findObjects } from '../source-objects.ts'
import type { ActionContext } from './built-in-action.ts'

/** What is checked out: a repository of this machine, and what of it. */
export interface CheckoutSource {
  readonly repository: string
  /** Its object folder. */
  readonly objects: string
  readonly head: Head
  /** For the output `ref`. */
  readonly ref: string
  readonly isOther: boolean
}

export type Head = { readonly branch?: string; readonly sha: string } | { readonly detachAt: string }

/** The repository of the run, or the one that `repository` names, which the agent finds as it finds actions. */
export async function findSource(context: ActionContext): Promise<CheckoutSource> {
  const { inputs, order } = context
  const name = inputs.text('repository')
  const own = String(order.contexts.github['repository'] ?? '')
  if (name !== '' && name.toLowerCase() !== own.toLowerCase()) return findOther(context, name)
  const { repository, sha, ref } = order.source
  const wanted = inputs.text('ref')
  const head = wanted === '' ? headOf(ref, sha) : { detachAt: wanted }
  return {
    repository,
    objects: await objectsOf(context, repository),
    head,
    ref: wanted === '' ? ref : wanted,
    isOther: false,
  }
}

/** A pushed branch is checked out as that branch, everything else as a detached commit, as GitHub does. */
function headOf(ref: string, sha: string): Head {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1]
  return branch === undefined ? { sha } : { branch, sha }
}

/** Another one comes from where actions come from: the store of the home, else the base url of actions. */
async function findOther(context: ActionContext, name: string): Promise<CheckoutSource> {
  const { inputs, action } = context
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) {
    throw actionInputInvalid({ action, input: 'repository', value: name, expected: 'owner/name' })
  }
  if (inputs.text('fetch-depth') === '0' || inputs.boolean('fetch-tags')) {
    context.warn(
      `${action}: of ${name} only one commit is kept here; the inputs "fetch-depth" and "fetch-tags" are ignored.`,
    )
  }
  const ref = inputs.text('ref') || 'HEAD'
  const uses = `${name}@${ref.replace(/^refs\/(?:heads|tags)\//, '')}`
  const reply = await context.request({ kind: 'repository', uses })
  const repository = isJsonObject(reply) ? reply['repository'] : undefined
  const commit = isJsonObject(reply) ? reply['commit'] : undefined
  if (typeof repository !== 'string' || typeof commit !== 'string' || !/^[0-9a-f]+$/.test(commit)) {
    throw actionReplyInvalid({ uses })
  }
  context.print([
    `Use ${uses} (commit ${commit}), as it is stored; \`shipway actions update ${uses}\` takes what it is now`,
  ])
  const objects = await objectsOf(context, repository)
  return { repository, objects, head: { sha: commit }, ref: inputs.text('ref'), isOther: true }
}

async function objectsOf(context: ActionContext, repository: string): Promise<string> {
  const ask = (): Promise<string | undefined> =>
    context.captureProgram(['git', 'rev-parse', '--git-common-dir'], repository)
  const found = await findObjects(repository, ask)
  if (found !== undefined) return found
  throw checkoutFailed({ ref: context.order.source.sha, repository, output: ['It is not a git repository.'] })
}

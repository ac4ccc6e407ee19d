import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { actionInputUnsupported, checkoutFailed, pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import { findObjects } from '../source-objects.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'

/**
 * The commit of the run in the workspace. The new repository borrows its objects from the one that the run was started
 * from (`objects/info/alternates`), so nothing is copied but the files of the commit: one git process in all.
 */
export const checkout: BuiltInAction = {
  name: 'actions/checkout',
  inputs: {
    repository: undefined,
    ref: undefined,
    path: undefined,
    'fetch-depth': '1',
    'fetch-tags': 'false',
    clean: 'true',
    submodules: 'false',
    lfs: 'false',
    token: undefined,
    'ssh-key': undefined,
    'ssh-known-hosts': undefined,
    'ssh-strict': undefined,
    'ssh-user': undefined,
    'persist-credentials': undefined,
    'show-progress': undefined,
    'set-safe-directory': undefined,
    'github-server-url': undefined,
    filter: undefined,
    'sparse-checkout': undefined,
    'sparse-checkout-cone-mode': 'true',
  },
  async run(context: ActionContext): Promise<void> {
    refuseUnsupported(context)
    const { inputs, order } = context
    const folder = folderOf(context)
    const objects = await objectsOf(context, order.source.repository)
    const wanted = inputs.text('ref')
    const head = wanted === '' ? headOf(order.source.ref, order.source.sha) : { detachAt: wanted }
    const isNew = !existsSync(join(folder, '.git'))
    if (isNew) makeRepository(folder, order.source.repository, objects, head)
    if (!isNew && inputs.boolean('clean')) await git(context, folder, ['clean', '-ffdx', '--quiet'])
    if (inputs.text('fetch-depth') === '0' || inputs.boolean('fetch-tags') || wanted !== '')
      await fetchRefs(context, folder)
    await narrow(context, folder, isNew)
    await moveTo(context, folder, head, isNew)
    const sha = await readSha(context, folder, head)
    context.setOutput('commit', sha)
    context.setOutput('ref', wanted === '' ? order.source.ref : wanted)
    context.print([`HEAD is now at ${sha}`])
  },
}

type Head = { readonly branch?: string; readonly sha: string } | { readonly detachAt: string }

/** A pushed branch is checked out as that branch, everything else as a detached commit, as GitHub does. */
function headOf(ref: string, sha: string): Head {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1]
  return branch === undefined ? { sha } : { branch, sha }
}

function refuseUnsupported(context: ActionContext): void {
  const { inputs, order } = context
  const action = 'actions/checkout'
  const repository = inputs.text('repository')
  if (repository !== '' && repository !== order.contexts.github['repository']) {
    throw actionInputUnsupported({
      action,
      input: 'repository',
      value: repository,
      instead: 'This version checks out the repository of the run only; clone others with `run: git clone`.',
    })
  }
  if (!['', 'false'].includes(inputs.text('submodules').toLowerCase())) {
    throw actionInputUnsupported({
      action,
      input: 'submodules',
      value: inputs.text('submodules'),
      instead: 'Fetch them with `run: git submodule update --init`.',
    })
  }
  for (const input of ['lfs', 'filter']) {
    if (!['', 'false'].includes(inputs.text(input)))
      context.warn(`${action}: the input "${input}" is not supported, ignored.`)
  }
}

function folderOf({ inputs, order }: ActionContext): string {
  const { workspace } = order.paths
  const path = inputs.text('path')
  const folder = normalizePath(path, workspace)
  if (!isInside(folder, workspace)) throw pathEscapes({ path, root: workspace })
  return folder
}

async function objectsOf(context: ActionContext, repository: string): Promise<string> {
  const found = await findObjects(repository, () => capture(context, repository, ['rev-parse', '--git-common-dir']))
  if (found !== undefined) return found
  throw checkoutFailed({ ref: context.order.source.sha, repository, output: ['It is not a git repository.'] })
}

/** What `git init` would make, with the commit's branch in place and the other repository's objects borrowed. */
function makeRepository(folder: string, repository: string, objects: string, head: Head): void {
  const git = join(folder, '.git')
  mkdirSync(join(git, 'objects', 'info'), { recursive: true, mode: 0o700 })
  mkdirSync(join(git, 'refs'), { mode: 0o700 })
  const branch = 'branch' in head ? head.branch : undefined
  const isSha256 = 'sha' in head && head.sha.length === 64
  writeFileSync(join(git, 'objects', 'info', 'alternates'), `${objects}\n`)
  writeFileSync(join(git, 'HEAD'), `ref: refs/heads/${branch ?? 'shipway-none'}\n`)
  writeFileSync(join(git, 'config'), configText(repository, isSha256))
  if (branch !== undefined && 'sha' in head) {
    writeFileSync(join(git, 'packed-refs'), `${head.sha} refs/remotes/origin/${branch}\n`)
  }
  const shallow = join(objects, '..', 'shallow')
  if (existsSync(shallow)) writeFileSync(join(git, 'shallow'), readFileSync(shallow))
}

function configText(repository: string, isSha256: boolean): string {
  const extension = isSha256 ? '[extensions]\n\tobjectFormat = sha256\n' : ''
  const url = repository.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)
  return (
    `[core]\n\trepositoryformatversion = ${isSha256 ? 1 : 0}\n\tbare = false\n\tlogallrefupdates = true\n${extension}` +
    `[remote "origin"]\n\turl = "${url}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n`
  )
}

async function fetchRefs(context: ActionContext, folder: string): Promise<void> {
  const refs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
  await git(context, folder, ['fetch', '--quiet', '--no-tags', '--force', 'origin', ...refs])
}

/** `sparse-checkout`: only some folders, or what patterns name; without it all files again. */
async function narrow(context: ActionContext, folder: string, isNew: boolean): Promise<void> {
  const patterns = context.inputs
    .text('sparse-checkout')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (patterns.length > 0) {
    const mode = context.inputs.boolean('sparse-checkout-cone-mode') ? '--cone' : '--no-cone'
    return git(context, folder, ['sparse-checkout', 'set', mode, '--end-of-options', ...patterns])
  }
  const isNarrow = !isNew && (await capture(context, folder, ['config', '--get', 'core.sparseCheckout'])) === 'true'
  if (isNarrow) await git(context, folder, ['sparse-checkout', 'disable'])
}

async function moveTo(context: ActionContext, folder: string, head: Head, isNew: boolean): Promise<void> {
  if ('detachAt' in head) {
    const found = await resolveRef(context, folder, head.detachAt)
    return git(context, folder, ['checkout', '--quiet', '--force', '--detach', found])
  }
  // In a new repository `reset` writes the branch, the index and the files in one go.
  if (isNew && head.branch !== undefined) return git(context, folder, ['reset', '--quiet', '--hard', head.sha])
  const how = head.branch === undefined ? ['--detach'] : ['-B', head.branch]
  return git(context, folder, ['checkout', '--quiet', '--force', ...how, head.sha])
}

/** A branch, a tag or a commit, in this order, as people write them. */
async function resolveRef(context: ActionContext, folder: string, ref: string): Promise<string> {
  const candidates = [ref.replace(/^refs\/heads\//, 'refs/remotes/origin/'), `refs/remotes/origin/${ref}`, ref]
  for (const candidate of [candidates[1] ?? ref, `refs/tags/${ref}`, candidates[0] ?? ref]) {
    if (candidate.startsWith('-')) break
    const sha = await capture(context, folder, ['rev-parse', '--quiet', '--verify', `${candidate}^{commit}`])
    if (sha !== undefined) return sha
  }
  throw checkoutFailed({ ref, repository: context.order.source.repository, output: [] })
}

async function readSha(context: ActionContext, folder: string, head: Head): Promise<string> {
  if ('sha' in head) return head.sha
  return (await capture(context, folder, ['rev-parse', 'HEAD'])) ?? ''
}

async function git(context: ActionContext, folder: string, args: readonly string[]): Promise<void> {
  if (await context.runProgram(['git', ...args], folder)) return
  const { repository, sha } = context.order.source
  throw checkoutFailed({ ref: sha, repository, output: [`git ${args.join(' ')} failed, see above.`] })
}

/** What git prints, without its line end; undefined when it fails. */
function capture(context: ActionContext, folder: string, args: readonly string[]): Promise<string | undefined> {
  return context.captureProgram(['git', ...args], folder)
}

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { actionInputUnsupported, checkoutFailed, pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionContext, ActionInputs, BuiltInAction } from './built-in-action.ts'
import { findSource } from './checkout-source.ts'
import type { CheckoutSource, Head } from './checkout-source.ts'
import { updateSubmodules } from './submodule.ts'

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
    warnOfUnused(context)
    const { inputs } = context
    const folder = folderOf(context)
    const source = await findSource(context)
    const { head } = source
    await makeWay(context, folder, source)
    const isNew = !existsSync(join(folder, '.git'))
    if (isNew) makeRepository(folder, source)
    if (!isNew && inputs.boolean('clean')) await cleanFolder(context, folder)
    const isWhole = inputs.text('fetch-depth') === '0' || inputs.boolean('fetch-tags') || inputs.text('ref') !== ''
    if (isWhole && !source.isOther) await fetchRefs(context, folder)
    await narrow(context, folder, isNew)
    await moveTo(context, folder, head, isNew)
    await refuseLargeFiles(context, folder)
    const depth = inputs.text('submodules').toLowerCase()
    if (!['', 'false'].includes(depth)) {
      await updateSubmodules(context, { folder, source: source.repository, isRecursive: isRecursive(inputs, depth) })
    }
    const sha = await readSha(context, folder, head)
    context.setOutput('commit', sha)
    context.setOutput('ref', source.ref)
    context.print([`HEAD is now at ${sha}`])
  },
}

/** Says what a step gives that nothing here needs. */
function warnOfUnused(context: ActionContext): void {
  const { inputs, action } = context
  for (const input of ['token', 'ssh-key']) {
    if (inputs.text(input) !== '')
      context.warn(`${action}: the input "${input}" is not needed, ignored: what is checked out is on this machine.`)
  }
  if (inputs.text('filter') !== '') context.warn(`${action}: the input "filter" is not supported, ignored.`)
}

function isRecursive(inputs: ActionInputs, depth: string): boolean {
  return depth === 'recursive' || !inputs.boolean('submodules')
}

function folderOf({ inputs, order }: ActionContext): string {
  const { workspace } = order.paths
  const path = inputs.text('path')
  const folder = normalizePath(path, workspace)
  if (!isInside(folder, workspace)) throw pathEscapes({ path, root: workspace })
  return folder
}

/** Another repository than the one that was checked out here before: nothing of that one may stay, as GitHub does. */
async function makeWay(context: ActionContext, folder: string, { repository }: CheckoutSource): Promise<void> {
  if (!existsSync(join(folder, '.git'))) return
  const before = await capture(context, folder, ['config', '--get', 'remote.origin.url'])
  if (before === repository) return
  context.print([`Deleting the contents of '${folder}'`])
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
}

async function cleanFolder(context: ActionContext, folder: string): Promise<void> {
  await git(context, folder, ['clean', '-ffdx', '--quiet'])
  const each = ['submodule', '--quiet', 'foreach', '--recursive']
  await git(context, folder, [...each, 'git clean -ffdx --quiet && git reset --quiet --hard'])
}

/** Files that git lfs keeps are not in the repository, but at its server. Without them a step would work on small text files. */
async function refuseLargeFiles(context: ActionContext, folder: string): Promise<void> {
  const { inputs, action } = context
  if (!inputs.boolean('lfs')) return
  const large = await capture(context, folder, ['ls-files', '--', ':(attr:filter=lfs)'])
  const first = large?.split('\n')[0] ?? ''
  if (first === '') return
  const instead = `Run \`git lfs pull\` in a step of your own: ${first} and its like are at the server of git lfs.`
  throw actionInputUnsupported({ action, input: 'lfs', value: 'true', instead })
}

/** What `git init` would make, with the commit's branch in place and the other repository's objects borrowed. */
function makeRepository(folder: string, { repository, objects, head }: CheckoutSource): void {
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

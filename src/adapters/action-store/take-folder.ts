import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { actionSourceInvalid, actionTooLarge } from '#core/known/action.ts'
import { callGit, ownSettingsOnly } from './git-call.ts'
import { keepCommit, ownGit, problemOf } from './repository.ts'
import type { StoredRepository } from './repository.ts'

const filesMax = 50_000
const bytesMax = 1024 * 1024 * 1024

/** Always the same person and time, so that the same files are the same commit. */
const nobody = {
  GIT_AUTHOR_NAME: 'shipway',
  GIT_AUTHOR_EMAIL: 'shipway@localhost',
  GIT_AUTHOR_DATE: '2000-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'shipway',
  GIT_COMMITTER_EMAIL: 'shipway@localhost',
  GIT_COMMITTER_DATE: '2000-01-01T00:00:00Z',
}

/** Makes a commit of a plain folder, ignored files included. The caller holds the lock. */
export async function takeFolder(repository: StoredRepository, folder: string): Promise<string> {
  await checkSize(folder)
  const index = join(repository.folder, 'index.tmp')
  await rm(index, { force: true })
  const env = { GIT_INDEX_FILE: index }
  const add = ['--work-tree', folder, '-c', 'advice.addEmbeddedRepo=false', 'add', '--all', '--force', '--', folder]
  const added = await callGit({ gitDir: repository.gitDir, args: add, env: { ...ownSettingsOnly, ...env } })
  if (added.kind !== 'done') throw actionSourceInvalid({ source: folder, problem: problemOf(added) })
  const tree = (await ownGit(repository, ['write-tree'], { env })).toString('utf8').trim()
  const message = 'Files of a folder'
  const made = await ownGit(repository, ['commit-tree', tree, '-m', message], { env: nobody })
  await rm(index, { force: true })
  const commit = await keepCommit(repository, made.toString('utf8').trim())
  if (commit === undefined) throw actionSourceInvalid({ source: folder, problem: 'git made no commit of it' })
  return commit
}

async function checkSize(folder: string): Promise<void> {
  const seen = { files: 0, bytes: 0 }
  const walk = async (at: string): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (entry.name === '.git') continue
      const path = join(at, entry.name)
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile()) {
        seen.files += 1
        seen.bytes += (await lstat(path)).size
      }
      if (seen.files > filesMax) throw actionTooLarge({ repository: folder, limit: `${filesMax} files` })
      if (seen.bytes > bytesMax) throw actionTooLarge({ repository: folder, limit: `${bytesMax / 1024 / 1024} MiB` })
    }
  }
  await walk(folder)
}

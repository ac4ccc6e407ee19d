import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CliServices } from './services.ts'
import { systemGit } from '#adapters/git/git.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import { prepareEvent } from './event-facts.ts'
import type { EventFlags } from './event-facts.ts'
import { silentWorld } from './reference.ts'
import { openSession } from './session.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'

const sha = 'a'.repeat(40)
const facts: RepositoryFacts = {
  root: '/srv/web',
  sha,
  ref: 'refs/heads/feature/x',
  tags: ['refs/tags/v1.2.3'],
  changes: [],
  defaultBranch: 'main',
  repositoryName: 'acme/web',
  author: 'Ada',
  message: 'Say hello\n\n[skip ci]',
  changedFiles: ['a.js'],
  parent: 'b'.repeat(40),
  commitAuthor: { name: 'Bo', email: 'bo@example.org' },
}
const { ref: _, ...detached } = facts

test.for<readonly [title: string, name: string, flags: Partial<EventFlags>, state: RepositoryFacts, expected: object]>([
  [
    'a push of the branch',
    'push',
    {},
    facts,
    {
      name: 'push',
      ref: 'refs/heads/feature/x',
      sha,
      before: 'b'.repeat(40),
      changedFiles: ['a.js'],
      payload: {
        pusher: { name: 'Ada' },
        head_commit: { message: 'Say hello\n\n[skip ci]', author: { name: 'Bo', email: 'bo@example.org' } },
      },
    },
  ],
  ['a pushed tag', 'tag', {}, facts, { name: 'push', ref: 'refs/tags/v1.2.3' }],
  [
    'a pull request of the branch',
    'pull_request',
    {},
    facts,
    { name: 'pull_request', ref: 'refs/pull/1/merge', baseRef: 'main', headRef: 'feature/x' },
  ],
  [
    'a pull request for its base branch, whose commit runs',
    'pull_request_target',
    {},
    facts,
    { name: 'pull_request_target', ref: 'refs/heads/main', sha: 'e'.repeat(40), baseRef: 'main', headRef: 'feature/x' },
  ],
  [
    'a pull request for a base branch that is checked out',
    'pull_request_target',
    {},
    { ...facts, ref: 'refs/heads/main' },
    { ref: 'refs/heads/main', sha },
  ],
  [
    'a start by hand',
    'workflow_dispatch',
    { input: { who: 'ann' } },
    facts,
    { name: 'workflow_dispatch', ref: 'refs/heads/feature/x', inputs: { who: 'ann' } },
  ],
  ['a detached HEAD on a tag', 'push', {}, detached, { ref: 'refs/tags/v1.2.3' }],
  [
    'a detached HEAD on the newest commit of the default branch',
    'push',
    {},
    { ...detached, tags: [] },
    { ref: 'refs/heads/main' },
  ],
  [
    'a detached HEAD anywhere else',
    'push',
    {},
    { ...detached, sha: 'e'.repeat(40), tags: [] },
    { ref: 'e'.repeat(40) },
  ],
  [
    'uncommitted changes',
    'push',
    {},
    { ...facts, changes: ['b.js', 'a.js'] },
    { sha: 'c'.repeat(40), changedFiles: ['a.js', 'b.js'] },
  ],
  [
    'uncommitted changes that are only looked at',
    'push',
    { takesSnapshot: false },
    { ...facts, changes: ['b.js'] },
    { sha, changedFiles: ['a.js', 'b.js'] },
  ],
  ['another ref', 'push', { ref: 'v9' }, facts, { ref: 'refs/tags/v9', sha: 'd'.repeat(40) }],
  ['the branch by its short name', 'push', { ref: 'feature/x' }, facts, { ref: 'refs/heads/feature/x', sha }],
  [
    'a planned ref that git does not have',
    'push',
    { ref: 'refs/heads/other', takesSnapshot: false },
    facts,
    { ref: 'refs/heads/other', sha },
  ],
  [
    'the ref of a pull request, which only the forge has',
    'push',
    { ref: 'refs/pull/7/merge' },
    facts,
    { ref: 'refs/pull/7/merge', sha },
  ],
  ['files that the call names', 'push', { changedFiles: ['docs/a.md'] }, facts, { changedFiles: ['docs/a.md'] }],
])('%s', async ([, name, flags, state, expected]) => {
  const prepared = await prepareEvent(session('/'), state, name, { takesSnapshot: true, ...flags })

  expect(prepared.event).toMatchObject(expected)
})

test.each(['refs/tags/v9.9.9', 'refs/heads/nosuch'])('a run of %s, which is not there, is refused', async (ref) => {
  await expect(prepareEvent(session('/'), facts, 'push', { takesSnapshot: true, ref })).rejects.toMatchObject({
    code: 'REF_NOT_FOUND',
  })
})

test('a commit of thousands of files still fits into a ticket: path filters let it through, and a remark says so', async () => {
  const changedFiles = Array.from({ length: 6000 }, (_, index) => `src/some-rather-long-file-name-${index}.txt`)

  const { event, remarks } = await prepareEvent(session('/'), { ...facts, changedFiles }, 'push', {
    takesSnapshot: true,
  })

  expect(event.changedFiles).toBeUndefined()
  expect(remarks).toEqual([expect.stringContaining('6000 files have changed')])
})

test('the payload of a file wins over what git says, and names ref and files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-event-'))
  try {
    await writeFile(
      join(folder, 'push.json'),
      JSON.stringify({
        ref: 'refs/heads/main',
        pusher: { name: 'bob' },
        commits: [{ added: ['x'], modified: ['y'] }, { removed: ['x'] }],
      }),
    )
    await writeFile(
      join(folder, 'pr.json'),
      JSON.stringify({
        number: 7,
        action: 'labeled',
        pull_request: { base: { ref: 'release' }, head: { ref: 'fix' } },
      }),
    )

    const push = await prepareEvent(session(folder), facts, 'push', { eventFile: 'push.json', takesSnapshot: true })
    expect(push.event).toMatchObject({
      ref: 'refs/heads/main',
      changedFiles: ['x', 'y'],
      payload: { pusher: { name: 'bob' } },
    })
    const request = await prepareEvent(session(folder), facts, 'pull_request', {
      eventFile: 'pr.json',
      takesSnapshot: true,
    })
    expect(request.event).toMatchObject({
      ref: 'refs/pull/7/merge',
      baseRef: 'release',
      headRef: 'fix',
      payload: { action: 'labeled' },
    })
    expect(request.event.changedFiles).toBeUndefined()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a pull request for its base branch changes what its own commit changes; a release runs on its tag', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-event-'))
  try {
    await writeFile(join(folder, 'pr.json'), JSON.stringify({ number: 7, pull_request: { base: { ref: 'gone' } } }))
    await writeFile(join(folder, 'release.json'), JSON.stringify({ release: { tag_name: 'v9' } }))
    await writeFile(join(folder, 'later.json'), JSON.stringify({ release: { tag_name: 'v10' } }))
    const prepare = (name: string, eventFile?: string) =>
      prepareEvent(session(folder), facts, name, {
        takesSnapshot: true,
        ...(eventFile === undefined ? {} : { eventFile }),
      })

    const asked = await prepare('pull_request_target')
    expect(asked.event.payload).toMatchObject({ number: 1, pull_request: { head: { ref: 'feature/x', sha } } })
    expect(asked.event.changedFiles).toEqual([`main...${sha}`])
    expect(asked.remarks).toEqual(['pull_request_target runs on the base branch: taking main; --ref names another.'])

    // A branch that is not here cannot lend its name to a commit that is not its own.
    expect((await prepare('pull_request_target', 'pr.json')).event).toMatchObject({ ref: 'refs/pull/7/merge', sha })
    expect((await prepare('release', 'release.json')).event).toMatchObject({ ref: 'refs/tags/v9', sha: 'd'.repeat(40) })
    expect((await prepare('release', 'later.json')).event).toMatchObject({ ref: 'refs/heads/feature/x', sha })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.for<readonly [text: string, code: string]>([
  ['{', 'FILE_UNREADABLE'],
  ['[]', 'FILE_UNREADABLE'],
  ['null', 'FILE_UNREADABLE'],
])('a payload that is %s is refused', async ([text, code]) => {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-event-'))
  try {
    await writeFile(join(folder, 'event.json'), text)
    const wrong = prepareEvent(session(folder), facts, 'push', { eventFile: 'event.json', takesSnapshot: true })
    await expect(wrong).rejects.toMatchObject({ code })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a tag is needed for the event "tag", and a commit for any', async () => {
  await expect(
    prepareEvent(session('/'), { ...facts, tags: [] }, 'tag', { takesSnapshot: true }),
  ).rejects.toMatchObject({ code: 'FLAG_INVALID' })
  const { sha: __, ...empty } = facts
  await expect(prepareEvent(session('/'), empty, 'push', { takesSnapshot: true })).rejects.toMatchObject({
    code: 'REPOSITORY_EMPTY',
  })
  await expect(
    prepareEvent(session('/'), facts, 'push', { ref: 'nowhere', takesSnapshot: true }),
  ).rejects.toMatchObject({ code: 'REF_NOT_FOUND' })
})

const known: Readonly<Record<string, { readonly ref: string; readonly sha: string }>> = {
  v9: { ref: 'refs/tags/v9', sha: 'd'.repeat(40) },
  'refs/tags/v9': { ref: 'refs/tags/v9', sha: 'd'.repeat(40) },
  'refs/heads/main': { ref: 'refs/heads/main', sha: 'e'.repeat(40) },
}

function session(directory: string) {
  const services: Partial<CliServices> = {
    git: { ...systemGit, defaultBranch: async () => ({ name: 'main', tips: [sha] }) },
    changedSince: async (_, { base, sha: head }) => [`${base}...${head}`],
    snapshotTree: async () => ({ sha: 'c'.repeat(40) }),
    resolveRef: async (_, ref) => known[ref],
  }
  return openSession({ ...silentWorld, services: services as CliServices, cwd: directory }, {})
}

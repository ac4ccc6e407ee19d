import { describe, expect, test } from 'vitest'
import { compareReleases } from './compare.ts'
import type { ReleaseManifest } from './model.ts'
import { releaseNotes, renderNotes } from './notes.ts'

const file = (path: string, digest = 'a', mode = 0o644) => ({ path, mode, size: 1, digest: digest.repeat(64) })
const manifest = (more: Partial<ReleaseManifest>): ReleaseManifest => ({
  schema: 'shipway.release/1',
  application: 'shop',
  version: 'v1.0.0',
  source: { sha: 'b'.repeat(40), ref: 'refs/heads/main', dirty: false },
  files: [],
  environments: {},
  evidence: [],
  ...more,
})

describe('comparing releases', () => {
  test('names files that came, went, changed content or mode, and the configuration that differs', () => {
    const from = manifest({
      files: [file('gone'), file('mode'), file('same'), file('text')],
      environments: {
        live: { variables: { A: '1', B: '2' }, secrets: ['KEY'], restart: 'one' },
        old: { variables: {}, secrets: [] },
      },
    })
    const to = manifest({
      files: [file('mode', 'a', 0o755), file('new'), file('same'), file('text', 'c')],
      environments: {
        live: { variables: { A: '1', B: '3', C: '4' }, secrets: ['TOKEN'], restart: 'two' },
      },
    })
    const comparison = compareReleases(from, to)
    expect(comparison.added.map(({ path }) => path)).toEqual(['new'])
    expect(comparison.removed.map(({ path }) => path)).toEqual(['gone'])
    expect(comparison.changed.map(({ path }) => path)).toEqual(['mode', 'text'])
    expect(comparison.environments).toEqual([
      { name: 'live', differences: ['variable B', 'variable C', 'secret KEY', 'secret TOKEN', 'restart'] },
      { name: 'old', differences: ['gone'] },
    ])
  })

  test('names images, versions of components, the commit and the migration that differ, with both sides', () => {
    const from = manifest({
      versions: { backend: '1.0.0', frontend: '2.0.0' },
      images: { backend: `r/b@sha256:${'1'.repeat(64)}`, old: `r/o@sha256:${'2'.repeat(64)}` },
      source: { sha: 'b'.repeat(40), ref: 'refs/heads/main', dirty: true },
    })
    const to = manifest({
      versions: { backend: '1.0.0', frontend: '2.1.0' },
      images: { backend: `r/b@sha256:${'3'.repeat(64)}` },
      migration: 'expand',
    })
    expect(compareReleases(from, to).settings).toEqual([
      { name: 'version frontend', from: '2.0.0', to: '2.1.0' },
      { name: 'image backend', from: `r/b@sha256:${'1'.repeat(64)}`, to: `r/b@sha256:${'3'.repeat(64)}` },
      { name: 'image old', from: `r/o@sha256:${'2'.repeat(64)}` },
      { name: 'commit', from: `${'b'.repeat(40)} with uncommitted changes`, to: 'b'.repeat(40) },
      { name: 'migration', to: 'expand' },
    ])
    const compose = { files: [], profiles: [], healthWithinMs: 1, pullWithinMs: 1 }
    const live = (more: object) => manifest({ environments: { live: { variables: {}, secrets: [], ...more } } })
    expect(compareReleases(live({ compose }), live({ compose: { ...compose, pullWithinMs: 2 } })).environments).toEqual(
      [{ name: 'live', differences: ['compose'] }],
    )
  })

  test('finds nothing between a release and itself', () => {
    const one = manifest({ files: [file('a')], environments: { live: { variables: { A: '1' }, secrets: [] } } })
    expect(compareReleases(one, one)).toEqual({
      added: [],
      removed: [],
      changed: [],
      settings: [],
      environments: [],
    })
  })
})

describe('release notes', () => {
  const commit = (subject: string, body = '') => ({ sha: '0123456789abcdef', author: 'Ann', subject, body })

  test('sort commits by what they say they are, and collect the issues that they name', () => {
    const notes = releaseNotes([
      commit('feat(cart): remember it (#12)'),
      commit('fix: round up', 'Fixes #7 and #12.\nSee a/b#99 and https://x.org/#5.'),
      commit('feat!: drop the old address'),
      commit('refactor: tidy', 'BREAKING CHANGE: another name'),
      commit('Merge branch'),
    ])
    expect(notes.sections.map(({ title, commits }) => [title, commits.length])).toEqual([
      ['Breaking changes', 2],
      ['Features', 1],
      ['Fixes', 1],
      ['Other changes', 1],
    ])
    expect(notes.issues).toEqual(['#12', '#7'])
  })

  test('are Markdown that a commit cannot break out of', () => {
    const text = renderNotes('v2.0.0', 'v1.0.0', releaseNotes([commit('fix: [x](http://evil) <b>\u2028## no heading')]))
    expect(text).toContain(
      '# v2.0.0\n\nChanges since v1.0.0.\n\n## Fixes\n\n- fix: \\[x\\](http://evil) \\<b\\> ## no heading (0123456, Ann)\n',
    )
  })
})

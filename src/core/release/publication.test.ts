import { describe, expect, test } from 'vitest'
import { forgeRelease, isPrerelease, publicationMark, releasesBefore } from './publication.ts'

describe('what a forge is given', () => {
  test.for([
    ['v1.2.3', false],
    ['1.2.3', false],
    ['v1.2.3+build-5', false],
    ['v1.2.3-rc.1', true],
    ['v0.1.0-test', true],
    ['v20250810-1234', true],
  ] as const)('%s as a pre-release: %s', ([version, expected]) => {
    expect(isPrerelease(version)).toBe(expected)
  })

  test('is known as ours, says the version once, and fits', () => {
    const { body, title } = forgeRelease(
      { id: 'f'.repeat(64), version: 'v1.0.0', sha: 'a'.repeat(40) },
      '# v1.0.0\n\n## Fixes\n\n- x\n',
    )
    expect(title).toBe('v1.0.0')
    expect(body.startsWith(`${publicationMark}${'f'.repeat(64)} -->\n## Fixes\n`)).toBe(true)
    expect(body).not.toContain('# v1.0.0')

    const long = forgeRelease({ id: 'f', version: 'v1.0.0', sha: 'a' }, `# v1.0.0\n\n${'- a line\n'.repeat(50_000)}`)
    expect(long.body.length).toBeLessThan(125_000)
    expect(long.body).toMatch(/- a line\n+…\n/)
  })

  test('begins after the final version before, whatever was built between', () => {
    const one = (version: string, createdAt: number) => ({ version, createdAt, sha: version })
    const all = ['v2.0.0', 'v20250101-1200', 'v2.0.0-rc.1', 'v1.1.0', 'v1.0.0'].map((version, at) =>
      one(version, 9 - at),
    )
    const before = (version: string): readonly string[] =>
      releasesBefore(all.find((release) => release.version === version) ?? one(version, 10), all).map(
        (release) => release.version,
      )
    expect(before('v2.0.0')).toEqual(['v1.1.0', 'v1.0.0'])
    expect(before('v2.0.1-rc.1')).toEqual(['v2.0.0', 'v2.0.0-rc.1', 'v1.1.0', 'v1.0.0'])
    expect(before('v20250101-1200')).toEqual(['v2.0.0-rc.1', 'v1.1.0', 'v1.0.0'])
  })
})

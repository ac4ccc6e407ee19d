import { expect, test } from 'vitest'
import { missesRelease, unmetRefusals } from './missing-release.ts'
import type { RunView } from './model.ts'

const view = (ref: string, rest: object): RunView =>
  ({ ref, conclusion: 'success', ...rest }) satisfies Partial<RunView> as RunView
const reason = (code: string) => ({ code, message: 'Because.' })

test.for([
  ['a version tag whose release is refused', 'refs/tags/v1.0.0', 'RELEASE_VERSION_TAKEN', true],
  ['a version tag whose release another run seals', 'refs/tags/v1.0.0', 'RELEASE_OF_SIBLING', false],
  ['a version tag that was released before', 'refs/tags/v1.0.0', 'RELEASE_SEALED_BEFORE', false],
  ['a tag that is no version', 'refs/tags/nightly', 'RELEASE_TAG_MALFORMED', false],
  ['a branch', 'refs/heads/main', 'RELEASE_ARTIFACT_MISSING', false],
] as const)('%s: %s without its release (%s) is red: %s', ([, ref, code, expected]) => {
  expect(missesRelease(view(ref, { unreleased: reason(code) }))).toBe(expected)
})

test.for([
  ['refs/heads/main', 'GATE_FAILED', 1],
  ['refs/heads/main', 'DEPLOYMENT_SUPERSEDED', 0],
  ['refs/heads/main', 'RELEASE_NOT_VERIFIED', 0],
  ['refs/tags/v1.0.0', 'RELEASE_NOT_VERIFIED', 1],
] as const)('of %s, a deployment that is refused with %s counts %i', ([ref, code, expected]) => {
  const refusals = [{ environment: 'live', reason: reason(code) }]
  expect(unmetRefusals(view(ref, { refusals }))).toHaveLength(expected)
})

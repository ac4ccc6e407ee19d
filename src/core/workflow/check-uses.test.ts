import { expect, test } from 'vitest'
import { calledFile } from './called-file.ts'
import { jobUsesProblem, usesProblem } from './check-uses.ts'

test.each([
  ['./path', undefined],
  ['$/path/to/action', undefined],
  ['$/', undefined],
  ['$/path@v1', /has no @ref/],
  ['$/a/../../b', /does not leave its repository/],
  ['docker://alpine:3', undefined],
  ['owner/repo/path@v1', undefined],
  ['owner/repo', /Expected format/],
  ['$owner/repo@v1', /Expected format/],
  ['owner/repo@1234567', /shortened commit id/],
])('of a step, `uses: %s` is looked at', (uses, problem) => {
  if (problem === undefined) expect(usesProblem(uses)).toBeUndefined()
  else expect(usesProblem(uses)).toMatch(problem)
})

test.each([
  ['./.github/workflows/a.yml', undefined],
  ['$/.github/workflows/a.yml', undefined],
  ['$/.shipway/workflows/a.yaml', undefined],
  ['$/.github/workflows/a.yml@v1', /has no @ref/],
  ['$/elsewhere/a.yml', /Expected/],
  ['owner/repo/.github/workflows/a.yml@v1', undefined],
])('of a job, `uses: %s` is looked at', (uses, problem) => {
  if (problem === undefined) expect(jobUsesProblem(uses)).toBeUndefined()
  else expect(jobUsesProblem(uses)).toMatch(problem)
})

test('a workflow that is called by `$/` is the file of the repository in which that stands', () => {
  expect(calledFile('$/.github/workflows/a.yml', '.github/workflows/ci.yml')).toBe('.github/workflows/a.yml')
  expect(calledFile('$/.github/workflows/a.yml', 'acme/lib/.github/workflows/b.yml@v2')).toBe(
    'acme/lib/.github/workflows/a.yml@v2',
  )
})

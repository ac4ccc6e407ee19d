import { expect, test } from 'vitest'
import { jobWorkflow } from './job-workflow.ts'

const own = { repository: 'acme/app', sha: 'a'.repeat(40), ref: 'refs/heads/main' }

test('a job knows the file in which it stands: of its own repository', () => {
  expect(jobWorkflow('.github/workflows/called.yml', own)).toEqual({
    workflow_ref: 'acme/app/.github/workflows/called.yml@refs/heads/main',
    workflow_repository: 'acme/app',
    workflow_file_path: '.github/workflows/called.yml',
    workflow_sha: own.sha,
  })
})

test.each([
  ['v1', undefined],
  ['b'.repeat(40), 'b'.repeat(40)],
])('or of another one, at %s', (ref, sha) => {
  const file = `acme/lib/.github/workflows/lib.yml@${ref}`
  expect(jobWorkflow(file, own)).toEqual({
    workflow_ref: file,
    workflow_repository: 'acme/lib',
    workflow_file_path: '.github/workflows/lib.yml',
    ...(sha === undefined ? {} : { workflow_sha: sha }),
  })
})

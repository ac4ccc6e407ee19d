import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'
import { restoreCache, saveCache } from '@actions/cache'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ServiceRig } from '../rig/job-service.ts'
import { RunnerRig, expr, printed } from '../rig/runner.ts'

// The built-in actions and the official clients work on the same files: what the one leaves, the other finds.

let runner: RunnerRig
let services: ServiceRig
beforeAll(() => {
  runner = RunnerRig.start()
  services = new ServiceRig(runner.root)
})
afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  await services[Symbol.asyncDispose]()
})

const client = new DefaultArtifactClient()

test('an artifact of the official client is downloaded by the built-in action, and the other way round', async () => {
  const job = await services.serve({ jobKey: 'client', runId: 'run_1' })
  const folder = mkdtempSync(join(services.root, 'from-'))
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub/file.txt'), 'from the client')
  const { id = 0 } = await services.as(job, () =>
    client.uploadArtifact('client', [join(folder, 'sub/file.txt')], folder),
  )
  const built = await runner.run({
    paths: { artifacts: job.order.paths.artifacts, blobs: job.order.paths.blobs },
    steps: [
      { uses: 'actions/download-artifact@v4', with: { 'artifact-ids': String(id), path: 'got' } },
      { run: 'cat got/sub/file.txt; echo; echo from the action > file; chmod +x file' },
      { uses: 'actions/upload-artifact@v4', id: 'up', with: { name: 'built-in', path: 'file' } },
      { run: expr("format('echo {0}', steps.up.outputs.artifact-id)") },
    ],
  })
  const [text, ownId] = printed(built)
  expect(text).toBe('from the client')

  const path = mkdtempSync(join(services.root, 'got-'))
  const { artifact } = await services.as(job, () => client.getArtifact('built-in'))
  expect(artifact.id).toBe(Number(ownId))
  await services.as(job, () => client.downloadArtifact(artifact.id, { path }))
  expect(readFileSync(join(path, 'file'), 'utf8')).toBe('from the action\n')
})

test('a cache of the official client is restored by the built-in action, and the other way round', async () => {
  const github = { repository: 'acme/both', ref: 'refs/heads/main' }
  const job = await services.serve({ github })
  const { workspace } = job.order.paths
  mkdirSync(join(workspace, 'deps'))
  writeFileSync(join(workspace, 'deps/file'), 'from the client')
  await services.as(job, () => saveCache(['deps'], 'client-1'))
  const inputs = { path: 'deps', key: 'client-2', 'restore-keys': 'client-' }
  const built = await runner.run({
    github,
    steps: [
      { uses: 'actions/cache/restore@v4', with: inputs },
      { run: 'cat deps/file; echo; echo from the action > deps/file' },
      { uses: 'actions/cache/save@v4', with: { path: 'deps', key: 'action-1' } },
    ],
  })
  expect(printed(built)).toEqual(['from the client'])
  expect(await services.as(job, () => restoreCache(['deps'], 'action-1'))).toBe('action-1')
  expect(readFileSync(join(workspace, 'deps/file'), 'utf8')).toBe('from the action\n')
})

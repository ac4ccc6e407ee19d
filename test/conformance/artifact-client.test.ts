import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { artifactId } from '#runner/actions/artifact-store.ts'
import { ServiceRig } from '../rig/job-service.ts'
import type { ServedJob } from '../rig/job-service.ts'

let rig: ServiceRig
beforeAll(() => {
  rig = new ServiceRig()
})
afterAll(() => rig[Symbol.asyncDispose]())

const client = new DefaultArtifactClient()

/** Writes files below a new folder and returns it with their paths. */
function makeFiles(contents: Readonly<Record<string, string | Buffer>>): { root: string; files: string[] } {
  const root = mkdtempSync(join(rig.root, 'files-'))
  const files = Object.entries(contents).map(([name, content]) => {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), content)
    return join(root, name)
  })
  return { root, files }
}

function treeOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]))
}

function download(job: ServedJob, id: number): Promise<string> {
  const path = mkdtempSync(join(rig.root, 'got-'))
  return rig.as(job, async () => {
    await client.downloadArtifact(id, { path })
    return path
  })
}

describe('the official artifact client', () => {
  test('uploads many files, and another job of the run lists and downloads them', async () => {
    const [build, deploy] = [await rig.serve({ jobKey: 'build' }), await rig.serve({ jobKey: 'deploy' })]
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`n/${index}.txt`, `number ${index}`]))
    const { root, files } = makeFiles({ ...many, empty: '', 'ünï/cödé ✓.txt': 'letters', 'deep/a/b/c': 'deep' })

    const uploaded = await rig.as(build, () => client.uploadArtifact('many', files, root, { retentionDays: 3 }))
    const listed = await rig.as(deploy, () => client.listArtifacts())
    const found = await rig.as(deploy, () => client.getArtifact('many'))
    const got = await download(deploy, uploaded.id ?? 0)

    expect(listed.artifacts.map(({ name, id }) => [name, id])).toEqual([['many', uploaded.id]])
    expect(found.artifact.id).toBe(uploaded.id)
    expect(treeOf(got)).toEqual(treeOf(root))
    const manifest = rig.manifest(build, 'many')
    expect(manifest).toMatchObject({ jobKey: 'build', attempt: 1, retentionDays: 3 })
    expect(Number(artifactId(manifest))).toBe(uploaded.id)
    expect(manifest.files).toHaveLength(303)
  })

  test(
    'uploads 50 MB in blocks, follows links, and keeps the permission to execute',
    { timeout: 120_000 },
    async () => {
      const job = await rig.serve({ jobKey: 'large', runId: 'run_large' })
      const large = randomBytes(50 * 1024 * 1024)
      const { root, files } = makeFiles({ 'large.bin': large, 'run.sh': '#!/bin/sh\n' })
      chmodSync(join(root, 'run.sh'), 0o755)
      symlinkSync('run.sh', join(root, 'link'))

      const { id = 0 } = await rig.as(job, () => client.uploadArtifact('large', [...files, join(root, 'link')], root))
      const got = await download(job, id)

      expect(readFileSync(join(got, 'large.bin')).equals(large)).toBe(true)
      expect(readFileSync(join(got, 'link'), 'utf8')).toBe('#!/bin/sh\n')
      expect(rig.manifest(job, 'large').files.map(({ path, mode }) => [path, mode.toString(8)])).toEqual([
        ['large.bin', '644'],
        ['link', '755'],
        ['run.sh', '755'],
      ])
    },
  )

  test('uploads one file as it is, and checks its digest after the download', async () => {
    const job = await rig.serve({ jobKey: 'plain', runId: 'run_plain' })
    const { root, files } = makeFiles({ 'report ü.html': '<p>green' })

    const { id = 0, digest } = await rig.as(job, () =>
      client.uploadArtifact('ignored', files, root, { skipArchive: true }),
    )
    const { artifact } = await rig.as(job, () => client.getArtifact('report ü.html'))
    const path = mkdtempSync(join(rig.root, 'got-'))
    const options = { path, ...(artifact.digest === undefined ? {} : { expectedHash: artifact.digest }) }
    const { digestMismatch } = await rig.as(job, () => client.downloadArtifact(id, options))

    expect(artifact.digest).toBe(`sha256:${digest}`)
    expect(digestMismatch).toBe(false)
    expect(treeOf(path)).toEqual({ 'report ü.html': '<p>green' })
  })

  test('is told when the name is taken, deletes it, and uploads again', async () => {
    const [first, second] = [
      await rig.serve({ jobKey: 'a', runId: 'run_names' }),
      await rig.serve({ jobKey: 'b', runId: 'run_names' }),
    ]
    const { root, files } = makeFiles({ file: 'one' })
    const upload = (job: ServedJob) => rig.as(job, () => client.uploadArtifact('taken', files, root))

    await upload(first)
    await expect(upload(second)).rejects.toThrow(/409.*already exists/)
    await expect(upload(first)).rejects.toThrow(/409.*already exists/)
    await rig.as(second, () => client.deleteArtifact('taken'))
    await expect(rig.as(second, () => client.getArtifact('taken'))).rejects.toThrow(/not found/i)
    writeFileSync(join(root, 'file'), 'two')
    await upload(second)

    expect(rig.manifest(first, 'taken')).toMatchObject({ jobKey: 'b' })
  })

  test('replaces what an earlier attempt of its own job has uploaded', async () => {
    const { root, files } = makeFiles({ file: 'one' })
    for (const attempt of [1, 2]) {
      const job = await rig.serve({ jobKey: 'again', runId: 'run_again', attempt })
      await rig.as(job, () => client.uploadArtifact('mine', files, root))
      expect(rig.manifest(job, 'mine').attempt).toBe(attempt)
    }
  })

  test('does not see the artifacts of another run', async () => {
    const [own, other] = [await rig.serve({ runId: 'run_own' }), await rig.serve({ runId: 'run_other' })]
    const { root, files } = makeFiles({ file: 'one' })
    const { id = 0 } = await rig.as(own, () => client.uploadArtifact('private', files, root))

    expect((await rig.as(other, () => client.listArtifacts())).artifacts).toEqual([])
    await expect(download(other, id)).rejects.toThrow(/No artifacts found/)
  })
})

test('folders of uploads are gone when they are over', async () => {
  const job = await rig.serve({ runId: 'run_clean' })
  const { root, files } = makeFiles({ file: 'one' })
  await rig.as(job, () => client.uploadArtifact('clean', files, root))
  const uploads = join(job.order.paths.temp, '..', 'uploads')
  expect(readdirSync(uploads)).toEqual([])
  await job.service[Symbol.asyncDispose]()
  expect(statSync(uploads, { throwIfNoEntry: false })).toBeUndefined()
})

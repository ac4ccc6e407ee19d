import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { serviceLimits } from '#runner/service/limits.ts'
import { makeToken } from '#runner/service/token.ts'
import { until } from '../rig/runner.ts'
import { mountSmallDisk } from '../rig/small-disk.ts'
import { ServiceRig } from '../rig/job-service.ts'
import type { ServedJob } from '../rig/job-service.ts'

let rig: ServiceRig
beforeAll(() => {
  rig = new ServiceRig()
})
afterAll(() => rig[Symbol.asyncDispose]())

const ids = (job: ServedJob) => ({
  workflow_run_backend_id: job.order.runId,
  workflow_job_run_backend_id: job.order.jobKey,
})

async function begin(job: ServedJob, name: string): Promise<string> {
  const { body } = await rig.call(job, 'ArtifactService/CreateArtifact', { ...ids(job), name, version: 7 })
  return String(body['signed_upload_url'])
}

/** Uploads a body as an artifact's archive and returns the answer to its end. */
async function upload(job: ServedJob, name: string, body: Buffer) {
  const put = await fetch(await begin(job, name), { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob' } })
  expect(put.status).toBe(201)
  return rig.call(job, 'ArtifactService/FinalizeArtifact', { ...ids(job), name, size: String(body.length) })
}

function zipOf(entries: Readonly<Record<string, { readonly text?: string; readonly mode?: number }>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, { text = '', mode = 0o100644 }] of Object.entries(entries)) {
    zip.addBuffer(Buffer.from(text), name, { mode })
  }
  zip.end()
  return Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>).then((chunks) => Buffer.concat(chunks))
}

/** A zip library writes no bad names, so a good one of the same length is replaced in the finished file. */
function renamed(zip: Buffer, from: string, to: string): Buffer {
  expect(Buffer.byteLength(to)).toBe(Buffer.byteLength(from))
  return Buffer.from(zip.toString('latin1').replaceAll(from, to), 'latin1')
}

describe('the token', () => {
  test.each([
    ['of another job', async (job: ServedJob) => (await rig.serve()).service.token + job.order.jobKey.slice(0, 0)],
    [
      'that was changed',
      async (job: ServedJob) => job.service.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    ],
    ['without a signature', async (job: ServedJob) => job.service.token.replace(/[^.]*$/, '')],
    ['that is none', async () => 'secret'],
    [
      'that somebody signed himself',
      async (job: ServedJob) =>
        makeToken(Buffer.from('guess'), job.order, { caches: [], now: rig.now, expires: rig.now + 60_000 }),
    ],
  ])('%s is refused', async (_title, makeBad) => {
    const job = await rig.serve({ runId: 'run_token' })
    const answer = await rig.call(job, 'ArtifactService/ListArtifacts', ids(job), await makeBad(job))
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    const v1 = await fetch(new URL('/_apis/artifactcache/cache?keys=a&version=b', job.url))
    expect(v1.status).toBe(401)
  })

  test('is admitted, says which run and job it is for, and expires', async () => {
    const job = await rig.serve({ runId: 'run_expiry', github: { repository: 'a/b', ref: 'refs/heads/x' } })
    const claims = JSON.parse(Buffer.from(job.service.token.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ scp: 'Actions.Results:run_expiry:build' })
    expect((await rig.call(job, 'ArtifactService/ListArtifacts', ids(job))).status).toBe(200)
    rig.now += 24 * 3_600_000
    expect((await rig.call(job, 'ArtifactService/ListArtifacts', ids(job))).status).toBe(401)
    rig.now -= 24 * 3_600_000
  })

  test('does not open another run, nor write for another job', async () => {
    const job = await rig.serve({ runId: 'run_mine' })
    const other = { ...ids(job), workflow_run_backend_id: 'run_other', name: 'x' }
    for (const method of ['CreateArtifact', 'ListArtifacts', 'GetSignedArtifactURL', 'DeleteArtifact']) {
      expect(await rig.call(job, `ArtifactService/${method}`, other)).toMatchObject({ status: 403 })
    }
    const foreignJob = { ...ids(job), workflow_job_run_backend_id: 'deploy', name: 'x' }
    expect(await rig.call(job, 'ArtifactService/CreateArtifact', foreignJob)).toMatchObject({ status: 403 })
  })
})

describe('a signed address', () => {
  test('works for what it was signed for, until it expires', async () => {
    const job = await rig.serve({ runId: 'run_signed' })
    const write = await begin(job, 'signed')
    const put = (url: string) => fetch(url, { method: 'PUT', body: 'x' }).then(({ status }) => status)

    expect(await put(`${write}&comp=block&blockid=AA==`)).toBe(201)
    expect(await put(write.replace('/uploads/job/', '/uploads/job/9'))).toBe(403)
    expect(await put(write.replace('sp=w', 'sp=r').replace('/uploads/', '/artifacts/'))).toBe(401)
    expect((await fetch(write.replace('/uploads/job/', '/artifacts/zip/'))).status).toBe(403)
    expect(await put(write.replace(/se=[^&]*/, 'se=2099-01-01T00%3A00%3A00.000Z'))).toBe(403)
    rig.now += serviceLimits.urlLifeMs
    expect(await put(write)).toBe(403)
    rig.now -= serviceLimits.urlLifeMs
    expect(await put(write)).toBe(201)
  })

  test('to download is answered in ranges', async () => {
    const job = await rig.serve({ runId: 'run_range' })
    const mime = { name: 'f.txt', mime_type: 'text/plain' }
    const { body } = await rig.call(job, 'ArtifactService/CreateArtifact', { ...ids(job), ...mime })
    await fetch(String(body['signed_upload_url']), { method: 'PUT', body: '0123456789' })
    await rig.call(job, 'ArtifactService/FinalizeArtifact', { ...ids(job), name: 'f.txt', size: '10' })
    const signed = await rig.call(job, 'ArtifactService/GetSignedArtifactURL', { ...ids(job), name: 'f.txt' })
    const url = String(signed.body['signed_url'])
    const get = async (Range: string) => {
      const response = await fetch(url, { headers: { Range } })
      return [response.status, response.headers.get('content-range'), await response.text()]
    }
    expect(await get('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    expect(await get('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await get('bytes=-2')).toEqual([206, 'bytes 8-9/10', '89'])
    expect(await get('bytes=10-')).toEqual([416, 'bytes */10', ''])
    expect(await get('lines=1-2')).toEqual([200, null, '0123456789'])
  })
})

describe('an archive', () => {
  const outside = '../../../escape'
  test.each([
    [
      'leads out of its folder',
      () => zipOf({ 'aa/bb/cc/escape': {} }).then((zip) => renamed(zip, 'aa/bb/cc/escape', outside)),
    ],
    ['has an absolute name', () => zipOf({ 'a/b': {} }).then((zip) => renamed(zip, 'a/b', '/ab'))],
    ['has a name with a backslash', () => zipOf({ 'a/b': {} }).then((zip) => renamed(zip, 'a/b', String.raw`a\b`))],
    ['holds a link', () => zipOf({ link: { text: '/etc/passwd', mode: 0o120777 } })],
    ['has a file below a file', () => zipOf({ a: {}, 'a/b': {} })],
    ['is no zip file', () => Promise.resolve(Buffer.from('garbage'.repeat(100)))],
    ['is cut off', () => zipOf({ a: { text: 'x'.repeat(9999) } }).then((zip) => zip.subarray(0, 60))],
    ['is empty', () => Promise.resolve(Buffer.alloc(0))],
  ])('that %s is refused, and nothing of it stays', async (_title, make) => {
    const job = await rig.serve({ runId: 'run_archive' })
    const answer = await upload(job, 'bad', await make())
    expect(answer).toMatchObject({ status: 400, body: { meta: { shipway: 'ARTIFACT_ARCHIVE_INVALID' } } })
    expect(existsSync(join(job.order.paths.artifacts, 'bad.json'))).toBe(false)
    expect(existsSync(join(rig.root, 'escape'))).toBe(false)
  })

  test('that unpacks to far more than it is, is refused before it is unpacked', async () => {
    const job = await rig.serve({ runId: 'run_bomb' })
    const body = await zipOf({ zeros: { text: 'small' } })
    const directory = body.indexOf('PK\u0001\u0002', 0, 'latin1')
    body.writeUInt32LE(0x7fff_ffff, directory + 24)
    expect(await upload(job, 'bomb', body)).toMatchObject({ status: 400, body: { code: 'invalid_argument' } })
  })

  test('is checked against what the client says about it', async () => {
    const job = await rig.serve({ runId: 'run_hash' })
    const zip = await zipOf({ file: { text: 'text' } })
    await fetch(await begin(job, 'sum'), { method: 'PUT', body: zip })
    const finish = (more: object) =>
      rig.call(job, 'ArtifactService/FinalizeArtifact', { ...ids(job), name: 'sum', size: String(zip.length), ...more })
    expect(await finish({ size: '3' })).toMatchObject({ status: 400, body: { meta: { shipway: 'UPLOAD_MISMATCH' } } })
    expect(await finish({ hash: 'sha256:00' })).toMatchObject({ status: 400 })
    const hash = `sha256:${createHash('sha256').update(zip).digest('hex')}`
    const first = await finish({ hash })
    expect(first).toMatchObject({ status: 200, body: { ok: true } })
    expect(await finish({ hash })).toEqual(first)
  })
})

describe('calls that make no sense', () => {
  test.each([
    ['POST', '/twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact', '{', 400],
    ['POST', '/twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact', '[]', 400],
    ['POST', '/twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact', '{"name":{"a":1}}', 403],
    // Versions 1 to 3 of the artifact service, which GitHub has switched off.
    ['POST', '/_apis/pipelines/workflows/1/artifacts', '{}', 404],
    ['POST', '/twirp/github.actions.results.api.v1.ArtifactService/constructor', '{}', 404],
    ['POST', '/twirp/github.actions.results.api.v1.constructor/name', '{}', 404],
    ['POST', '/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry', '{"key":"a,b","version":"1"}', 400],
    ['POST', '/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry', '{"key":"a"}', 400],
    ['POST', '/_apis/artifactcache/caches/7', '{"size":1}', 404],
    ['PATCH', '/_apis/artifactcache/caches/7', 'x', 404],
    ['GET', '/_apis/artifactcache/../../etc/passwd', undefined, 404],
    ['GET', '/caches/..%2f..%2f/passwd', undefined, 403],
    ['DELETE', '/', undefined, 404],
  ])('%s %s %s is answered with %s %s', async (method, path, body, status) => {
    const job = await rig.serve({ runId: 'run_garbage' })
    const response = await fetch(new URL(path, job.url), {
      method,
      headers: { Authorization: `Bearer ${job.service.token}` },
      ...(body === undefined ? {} : { body }),
    })
    expect([response.status, typeof ((await response.json()) as { msg?: string }).msg]).toEqual([status, 'string'])
  })

  test.each(['..', 'a/b', String.raw`a\b`, '', 'a\0b', 'x'.repeat(300)])(
    'the artifact name %j is refused',
    async (name) => {
      const job = await rig.serve({ runId: 'run_name' })
      for (const method of ['CreateArtifact', 'FinalizeArtifact']) {
        const answer = await rig.call(job, `ArtifactService/${method}`, { ...ids(job), name })
        expect(answer).toMatchObject({ status: 400, body: { meta: { shipway: 'ARTIFACT_NAME_INVALID' } } })
      }
      expect((await rig.call(job, 'ArtifactService/GetSignedArtifactURL', { ...ids(job), name })).status).toBe(400)
    },
  )

  test.each([
    ['names a block that was not sent', '<BlockList><Latest>QUE=</Latest><Latest>QkI=</Latest></BlockList>'],
    ['names a block twice', '<BlockList><Latest>QUE=</Latest><Latest>QUE=</Latest></BlockList>'],
    ['holds other elements', '<BlockList><Latest>QUE=</Latest><Evil/></BlockList>'],
    ['is no list', 'garbage'],
  ])('a list of blocks that %s is refused, and the upload goes on', async (_title, list) => {
    const job = await rig.serve({ runId: 'run_blocks' })
    const url = await begin(job, 'blocks')
    const put = (query: string, body: string) => fetch(`${url}&${query}`, { method: 'PUT', body })
    expect((await put('comp=block&blockid=QUE%3D', 'text')).status).toBe(201)
    expect((await put('comp=blocklist', list)).status).toBe(400)
    const good = '<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>QUE=</Latest></BlockList>'
    expect((await put('comp=blocklist', good)).status).toBe(201)
    expect((await put('comp=blocklist', good)).status).toBe(201)
  })
})

test('an upload that breaks off leaves nothing, and its block can be sent again', async () => {
  const job = await rig.serve({ runId: 'run_abort' })
  const url = new URL(await begin(job, 'abort'))
  const folder = join(job.order.paths.temp, '..', 'uploads', '1')
  const socket = connect(Number(url.port), url.hostname)
  socket.write(
    `PUT ${url.pathname}${url.search}&comp=block&blockid=QUE%3D HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf`,
  )
  await until(() => readdirSync(folder).length === 1, 'the block arrives')
  socket.destroy()
  await until(() => readdirSync(folder).length === 0, 'the half block is gone')
  expect((await fetch(`${url.href}&comp=block&blockid=QUE%3D`, { method: 'PUT', body: 'whole' })).status).toBe(201)
})

test('a full disk is said to be full, and the upload can be repeated when there is room', async (context) => {
  const root = mkdtempSync(join(rig.root, 'disk-'))
  await using disk = await (async () => {
    const mounted = await mountSmallDisk(root, 'size=4m')
    if (typeof mounted === 'string') context.skip(mounted)
    return mounted as AsyncDisposable
  })()
  expect(disk).toBeDefined()
  await using small = new ServiceRig(join(root, 'home'))
  const job = await small.serve()
  const { body } = await small.call(job, 'CacheService/CreateCacheEntry', { key: 'k', version: 'v' })
  const url = String(body['signed_upload_url'])
  const large = await fetch(url, { method: 'PUT', body: Buffer.alloc(8 * 1024 * 1024) })
  expect([large.status, await large.json()]).toMatchObject([507, { meta: { shipway: 'STORAGE_FULL' } }])
  expect((await fetch(url, { method: 'PUT', body: 'small' })).status).toBe(201)
  const finished = { key: 'k', version: 'v', size_bytes: '5' }
  expect(await small.call(job, 'CacheService/FinalizeCacheEntryUpload', finished)).toMatchObject({ status: 200 })
})

test('two jobs that save the same key at the same time: one wins, the other is told', async () => {
  const jobs = [await rig.serve({ jobKey: 'a' }), await rig.serve({ jobKey: 'b' })]
  const begun = await Promise.all(
    jobs.map((job) => rig.call(job, 'CacheService/CreateCacheEntry', { key: 'both', version: 'v' })),
  )
  await Promise.all(
    begun.map(({ body }, index) => fetch(String(body['signed_upload_url']), { method: 'PUT', body: `job ${index}` })),
  )
  const ended = await Promise.all(
    jobs.map((job) =>
      rig.call(job, 'CacheService/FinalizeCacheEntryUpload', { key: 'both', version: 'v', size_bytes: '5' }),
    ),
  )
  expect(ended.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 409])
})

test('the service listens on every address that is asked for, and on no other', async () => {
  const job = await rig.serve({ runId: 'run_listen' })
  const again = await job.service.listen('127.0.0.1')
  const second = await job.service.listen('127.0.0.2')
  expect([again, new URL(second).hostname]).toEqual([job.url, '127.0.0.2'])
  mkdirSync(job.order.paths.artifacts, { recursive: true })
  writeFileSync(join(job.order.paths.artifacts, '.tmp-x'), '')
  const served = { ...job, url: second }
  expect(await rig.call(served, 'ArtifactService/ListArtifacts', ids(job))).toEqual({
    status: 200,
    body: { artifacts: [] },
  })
  const { body } = await rig.call(served, 'ArtifactService/CreateArtifact', { ...ids(job), name: 'n' })
  expect(String(body['signed_upload_url'])).toMatch(second)
})

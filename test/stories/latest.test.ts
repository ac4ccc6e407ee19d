import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const files = (application: string): Readonly<Record<string, string>> => ({
  'shipway.yml': `name: ${application}\n`,
  'sub/folder/a.txt': 'a',
  '.github/workflows/ci.yml': `name: CI\non: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: 'echo I am ${application}' }] } }\n`,
})

test('in a repository "latest" is the newest run of its application, elsewhere of the whole home', async () => {
  using shop = new Repository(files('shop'))
  using blog = new Repository(files('blog'))
  using fresh = new Repository(files('fresh'))
  await using shipway = new Shipway()
  const outside = mkdtempSync(path.join(tmpdir(), 'shipway-outside-'))
  try {
    expect((await shipway.call(shop.root, 'run')).status).toBe(0)
    expect((await shipway.call(blog.root, 'run')).status).toBe(0)

    expect((await shipway.call(path.join(shop.root, 'sub/folder'), 'logs', 'latest')).stdout).toContain('I am shop')
    expect((await shipway.call(blog.root, 'logs')).stdout).toContain('I am blog')
    expect((await shipway.call(outside, 'logs', 'latest')).stdout).toContain('I am blog')
    expect((await shipway.call(shop.root, 'why', 'latest', '--json')).stdout).not.toContain('blog')
    const none = await shipway.call(fresh.root, 'logs', 'latest')
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('LATEST_MISSING') })
    expect(none.stderr).toContain('"fresh"')
  } finally {
    rmSync(outside, { recursive: true })
  }
})

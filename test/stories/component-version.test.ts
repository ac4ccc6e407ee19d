import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "shell says $BACKEND_VERSION and $FRONTEND_VERSION"
      - run: echo "tag \${{ env.BACKEND_VERSION }}-\${{ github.ref_name }}"
`
const files = {
  '.github/workflows/ci.yml': workflow,
  'shipway.yml': `name: shop
release:
  files: ['app/**']
  versions: { backend: backend/config/__init__.py, frontend: frontend/package.json }
environments: { live: { targets: [./targets/live] } }
`,
  'backend/config/__init__.py': '__version__ = "1.4.2"\n',
  'frontend/package.json': '{"name": "web", "version": "2.0.1"}\n',
  'app/a.txt': 'one\n',
}

test('the versions of backend and frontend are read from their files, known to every job, and sealed with the release', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)

  const run = await call('run', 'push')
  expect(run.status).toBe(0)
  expect(run.stdout).toContain('shell says 1.4.2 and 2.0.1')
  expect(run.stdout).toContain('tag 1.4.2-main')
  expect((await call('release', 'show', 'latest')).stdout).toMatch(
    /version {3}backend 1\.4\.2\n +version {3}frontend 2\.0\.1/,
  )
  const shown = JSON.parse((await call('release', 'show', 'latest', '--json')).stdout) as { manifest: object }
  expect(shown.manifest).toMatchObject({ versions: { backend: '1.4.2', frontend: '2.0.1' } })

  repository.commit({ 'frontend/package.json': '{"name": "web", "version": "2.1.0"}\n' })
  expect((await call('run', 'push')).status).toBe(0)
  const [newer, older] = (JSON.parse((await call('release', 'list', '--json')).stdout) as { items: { id: string }[] })
    .items
  const compared = await call('release', 'compare', older?.id ?? '', newer?.id ?? '')
  expect(compared.stdout).toContain('~ version frontend: 2.0.1 → 2.1.0')

  // What cannot be read is told, every file of it, before anything runs.
  repository.git('rm', '--quiet', 'frontend/package.json')
  repository.commit({ 'backend/config/__init__.py': 'import meta\n__version__ = meta.version("shop")\n' })
  const refused = await call('run', 'push')
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('COMPONENT_VERSION_UNREADABLE') })
  expect(refused.stderr).toMatch(/backend: backend\/config\/__init__\.py:2: __version__ is no plain text/)
  expect(refused.stderr).toMatch(/frontend: frontend\/package\.json: the commit has no such file/)
})

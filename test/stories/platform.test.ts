import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs:
  a: { runs-on: [self-hosted, gpu], steps: [{ run: 'echo ran' }] }
  b: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`

describe('a label of runs-on that leads nowhere', { tags: ['slow'] }, () => {
  test('fails its job and says how to map it; plan and lint tell it before', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()

    const end = await shipway.call(repository.root, 'run')
    const plan = await shipway.call(repository.root, 'plan')
    const lint = await shipway.call(repository.root, 'lint')

    expect(end.status).toBe(1)
    expect(end.stdout + end.stderr).toContain('"runs-on" asks for "gpu"')
    expect(end.stdout + end.stderr).toContain('fix:   Say where it runs: --platform gpu=host')
    expect(end.stdout + end.stderr).not.toContain('shipway logs')
    expect(end.stdout + end.stderr).not.toContain('ran\n')
    expect(plan).toMatchObject({ status: 0, stdout: expect.stringContaining('--platform gpu=host') })
    expect(lint).toMatchObject({ status: 0, stdout: expect.stringContaining('(JOB_PLATFORM_UNKNOWN)') })
  })

  test('is mapped by shipway.yml or by the call, which wins', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': 'platforms: { "g*": host }\n',
    })
    await using shipway = new Shipway()

    const mapped = await shipway.call(repository.root, 'run')
    const overruled = await shipway.call(repository.root, 'plan', '--json', '--platform', 'gpu=docker:acme/gpu')
    const wrong = await shipway.call(repository.root, 'run', '--platform', 'gpu=podman:x')

    expect(mapped.status).toBe(0)
    expect(overruled.stdout).toContain('"platform":"docker:acme/gpu"')
    expect(wrong.status).toBe(2)
  })
})

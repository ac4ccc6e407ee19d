import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchCase } from '../bench-case.ts'
import type { BenchWorld } from '../bench-world.ts'
import { measure } from '../compare.ts'
import type { Sample } from '../compare.ts'
import { atMost, milliseconds } from '../row.ts'
import { runShipwayIn } from '../work.ts'

const files = 1000
/** Of each file; half of it compresses. */
const fileBytes = 512 * 1024

/** What the built-in cache actions take for 500 MB in 1,000 files, against `tar` and `zstd` alone on the same files. */
export const cache: BenchCase = {
  name: 'cache',
  measure: async (world) => {
    const data = await makeData(world)
    const home = join(world.folder, 'cache-home')
    const link = `cp -al ${data} deps`
    const inputs = (key: string) => `\n        with: { path: deps, key: '${key}' }`
    const silent = await repositoryWith(world, [`run: ${link}`])
    const key = 'bench-${{ github.run_id }}'
    const save = await repositoryWith(world, [`run: ${link}`, `uses: actions/cache/save@v4${inputs(key)}`])
    const restore = await repositoryWith(world, [`uses: actions/cache/restore@v4${inputs('bench-')}`])
    const archive = join(world.folder, 'alone.tar')
    const alone = join(world.folder, 'alone')
    const [link_, saved, packed, restored, unpacked] = await measure(
      [
        { name: 'linked', run: () => runShipwayIn(home, silent, world) },
        { name: 'saved', run: () => runShipwayIn(home, save, world) },
        { name: '`tar` with `zstdmt`', run: () => pack(archive, data, world) },
        { name: 'restored', run: () => runShipwayIn(home, restore, world) },
        { name: '`tar` with `unzstd`', run: () => unpack(archive, alone, world) },
      ],
      Math.ceil(world.rounds / 3),
    )
    const without = (sample: Sample): Sample => ({ ...sample, medianMs: sample.medianMs - link_!.medianMs })
    const note = (sample: Sample) => `the whole command: ${milliseconds(sample.medianMs)}; ours is durable`
    return [
      atMost(2, 'save a cache of 500 MB', { ours: without(saved!), reference: packed! }, note(saved!)),
      atMost(1.5, 'restore a cache of 500 MB', { ours: without(restored!), reference: unpacked! }, note(restored!)),
    ]
  },
}

async function makeData(world: BenchWorld): Promise<string> {
  const folder = join(world.folder, 'cache-data')
  await mkdir(folder)
  for (let index = 0; index < files; index += 1) {
    const content = Buffer.concat([randomBytes(fileBytes / 2), Buffer.alloc(fileBytes / 2, `file ${index} `)])
    await writeFile(join(folder, `${index}.bin`), content)
  }
  return folder
}

function repositoryWith(world: BenchWorld, steps: readonly string[]): Promise<string> {
  const lines = ['on: push', 'jobs:', '  cache:', '    runs-on: ubuntu-latest', '    steps:']
  const workflow = [...lines, ...steps.map((step) => `      - ${step}`)].join('\n')
  return world.repository({ '.github/workflows/ci.yml': `${workflow}\n` })
}

async function pack(archive: string, data: string, world: BenchWorld): Promise<void> {
  await world.run('tar', ['--posix', '--use-compress-program', 'zstdmt', '-cf', archive, '-C', data, '.'])
}

async function unpack(archive: string, folder: string, world: BenchWorld): Promise<number> {
  await pack(archive, join(world.folder, 'cache-data'), world)
  await mkdir(folder)
  const started = performance.now()
  await world.run('tar', ['--use-compress-program', 'unzstd', '-xf', archive, '-C', folder])
  const elapsed = performance.now() - started
  await rm(folder, { recursive: true })
  return elapsed
}

import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { requireSystem } from '../../test/rig/system.ts'
import type { BenchCase } from '../bench-case.ts'
import type { BenchWorld } from '../bench-world.ts'
import { measure } from '../compare.ts'
import type { Sample } from '../compare.ts'
import { startDeployFleet } from '../deploy-fleet.ts'
import type { DeployFleet } from '../deploy-fleet.ts'
import { ansibleTool, capistranoTool, shipwayTool } from '../deploy-tool.ts'
import type { DeployTool } from '../deploy-tool.ts'
import { fasterBy, skipped } from '../row.ts'
import type { Row } from '../row.ts'

const fileCount = 500
const fileBytes = 40_000
/** Files that a usual change touches. */
const changedCount = 5

/**
 * Whole commands as a person types them, each a new process: `shipway deploy`, `cap live deploy`, `ansible-playbook`. The same commit, 500
 * files of 20 MB with 5 changed, to hosts that have had releases before; Capistrano's clock holds its fetch, ours not the run that sealed
 * the release.
 */
export const deployTools: BenchCase = {
  name: 'deploy-tools',
  measure: async (world) => {
    const parts = ['openssh-server', 'openssh-client', 'rsync', 'capistrano', 'ansible-core'] as const
    const missing = (await requireSystem(parts)) ?? (process.getuid?.() === 0 ? undefined : 'it needs root')
    if (missing !== undefined) return [skipped('deployment beside Capistrano and Ansible', '', missing)]
    const rows: Row[] = []
    for (const count of [1, 3, 10]) rows.push(...(await compareTools(world, count)))
    return rows
  },
}

async function compareTools(world: BenchWorld, count: number): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(world.folder, 'fleet-'))
  await using fleet = await startDeployFleet(join(folder, 'hosts'), count)
  const repository = await world.repository({ 'README.md': 'measured\n' })
  const job = (name: string) => ({ world, fleet, repository, folder: join(folder, name) })
  const tools = [
    await shipwayTool(job('shipway')),
    await capistranoTool(job('capistrano')),
    await ansibleTool(job('ansible')),
  ]
  for (const { folder: made } of [job('shipway')]) await mkdir(made, { recursive: true })
  const commit = async (changed: number): Promise<void> => {
    for (let index = 0; index < changed; index++) await writeRandom(join(repository, fileName(index)))
    await world.run('git', ['add', '.'], { cwd: repository })
    await world.run('git', ['commit', '-q', '-m', 'Changed'], { cwd: repository })
    for (const tool of tools) await tool.ready()
  }
  await commit(fileCount)
  for (const tool of tools) {
    await tool.deploy()
    await checkServed(fleet, tool, repository)
  }
  const timed = (run: (tool: DeployTool) => Promise<void>) => (tool: DeployTool) => ({
    name: tool.name,
    run: async () => {
      await commit(changedCount)
      const started = performance.now()
      await run(tool)
      return performance.now() - started
    },
  })
  const hosts = `${count} host${count === 1 ? '' : 's'}`
  const deployed = await measure(tools.map(timed((tool) => tool.deploy())), world.rounds)
  const rows = against(`deploy ${changedCount} changed of ${fileCount} files to ${hosts}`, deployed)
  const returning = tools.filter(({ rollback }) => rollback !== undefined)
  const returned = await measure(
    returning.map((tool) => ({
      name: tool.name,
      run: async () => {
        await commit(changedCount)
        await tool.deploy()
        const started = performance.now()
        await tool.rollback?.()
        return performance.now() - started
      },
    })),
    world.rounds,
  )
  return [...rows, ...against(`rollback on ${hosts}`, returned)]
}

/** A tool that was quick because it did nothing must not win. */
async function checkServed(fleet: DeployFleet, tool: DeployTool, repository: string): Promise<void> {
  const expected = await readFile(join(repository, fileName(0)))
  for (const content of fleet.contents) {
    // A link is read as the host sees it: what is below `place` there lies below `content` here.
    const link = await readlink(join(content, tool.place, 'current'))
    const release = join(content, relative(fleet.place, resolve(fleet.place, tool.place, link)))
    if (!(await readFile(join(release, fileName(0)))).equals(expected))
      throw new Error(`${tool.name} serves other files`)
  }
}

/** Ours is the first. */
function against(what: string, [ours, ...others]: readonly Sample[]): readonly Row[] {
  if (ours === undefined) return []
  return others.map((reference) => fasterBy(1, what, { ours, reference }))
}

async function writeRandom(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, randomBytes(fileBytes))
}

function fileName(index: number): string {
  return `assets/${index % 20}/file-${index}.bin`
}

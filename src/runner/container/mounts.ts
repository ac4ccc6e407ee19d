import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Mount } from '#core/container/path-map.ts'
import { normalizePath } from '#core/step/path-pattern.ts'
import type { JobRun } from '../job-run.ts'
import { findObjects } from '../source-objects.ts'
import type { Docker } from './docker.ts'

/** Node for JavaScript actions in a job container: the one that runs Shipway. An image needs none of its own. */
export const nodeInside = '/__e/node24/bin/node'

/** GITHUB_WORKSPACE in a job container: `/__w/<repository>/<repository>`. */
export function workspaceInside(job: JobRun): string {
  const repository = String(job.order.contexts.github['repository'] ?? '').replace(/^.*\//, '')
  const name = /^[\w.-]+$/.test(repository) ? repository : 'work'
  return `/__w/${name}/${name}`
}

/** What a job container sees of this machine (actions-semantics 113). */
export async function jobMounts(job: JobRun): Promise<readonly Mount[]> {
  const { workspace, temp, toolCache, actions } = job.order.paths
  for (const folder of [homeFolder(job), actions]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const mounts: Mount[] = [
    { outside: workspace, inside: workspaceInside(job) },
    { outside: temp, inside: '/__w/_temp' },
    { outside: homeFolder(job), inside: '/github/home' },
    { outside: join(temp, '_github_workflow'), inside: '/github/workflow' },
    { outside: actions, inside: '/__w/_actions' },
    { outside: toolCache, inside: '/__t' },
    { outside: process.execPath, inside: nodeInside, readOnly: true },
  ]
  // The built-in checkout borrows the objects of the repository, by a path that must hold in the container as well.
  for (const path of await borrowedObjects(job)) mounts.push({ outside: path, inside: path, readOnly: true })
  return mounts
}

/** What the container of a Docker action sees (107). */
export async function actionMounts(job: JobRun): Promise<readonly Mount[]> {
  const { workspace, temp } = job.order.paths
  mkdirSync(homeFolder(job), { recursive: true, mode: 0o700 })
  const mounts: Mount[] = [
    { outside: workspace, inside: '/github/workspace' },
    { outside: temp, inside: '/github/runner_temp' },
    { outside: homeFolder(job), inside: '/github/home' },
    { outside: join(temp, '_github_workflow'), inside: '/github/workflow' },
    { outside: join(temp, '_runner_file_commands'), inside: '/github/file_commands' },
  ]
  for (const path of await borrowedObjects(job)) mounts.push({ outside: path, inside: path, readOnly: true })
  return mounts
}

function homeFolder(job: JobRun): string {
  return join(job.order.paths.temp, '_github_home')
}

/** The object folders of the run's repository, with those that it borrows from in turn. */
async function borrowedObjects(job: JobRun): Promise<readonly string[]> {
  const first = await findObjects(job.order.source.repository, () => Promise.resolve(undefined)).catch(() => undefined)
  const found = new Set<string>()
  for (const queue = first === undefined ? [] : [first]; queue.length > 0;) {
    const folder = queue.pop() ?? ''
    if (found.has(folder) || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue
    found.add(folder)
    const list = join(folder, 'info', 'alternates')
    const lines = existsSync(list) ? readFileSync(list, 'utf8').split('\n') : []
    for (const line of lines) if (line !== '' && !line.startsWith('#')) queue.push(normalizePath(line, folder))
  }
  return [...found]
}

/** The engine's socket on this machine, so that steps can use Docker as on GitHub; undefined when it is somewhere else. */
export async function engineSocket(job: JobRun, docker: Docker): Promise<string | undefined> {
  const told = docker.env['DOCKER_HOST'] ?? ''
  const args = ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']
  const host = told === '' ? (await job.control.stoppable((stop) => docker.ask(args, { stop }))).stdout : told
  const path = /^unix:\/\/(.+)$/.exec(host)?.[1]
  return path !== undefined && existsSync(path) ? path : undefined
}

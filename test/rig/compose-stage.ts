import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { composeDefaults } from '#core/compose/model.ts'
import type { ComposeConfig } from '#core/compose/model.ts'
import type { HostTarget, TargetConfig } from '#core/project/model.ts'
import { composeDriver } from '#drivers/compose/driver.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import type { DeployDriver } from '#ports/deploy-driver.ts'
import type { HostShell } from '#ports/host-shell.ts'
import type { DriverStage } from './driver-contract.ts'
import { baseImage } from './docker.ts'
import type { DockerDaemon } from './docker.ts'
import type { SshServer } from './sshd.ts'

let stages = 0

/** One small service that shows the files of its release. */
export const showingFiles = `services:
  web:
    image: ${baseImage}
    command: [sleep, infinity]
    init: true
    stop_grace_period: 1s
    network_mode: none
    volumes: ['.:/release:ro']
`

/** A stage for the driver compose, on the daemon of the tests; every stage is a project of its own. */
export async function composeStage(
  docker: DockerDaemon,
  sshd?: SshServer,
): Promise<DriverStage & { readonly path: string; readonly project: string; readonly compose: ComposeConfig }> {
  const number = (stages += 1)
  const folder = await mkdtemp(join(tmpdir(), 'shipway-compose-'))
  const path = join(folder, "tar get's")
  const trace = join(folder, 'restarts')
  const project = `stage${process.pid}-${number}`
  const compose = { files: [], project, profiles: [], engine: docker.host, ...composeDefaults }
  const target: TargetConfig = sshd === undefined ? { kind: 'local', name: 'here', path } : sshd.target(path)
  return {
    path,
    project,
    compose,
    target,
    home: join(folder, 'home'),
    files: { 'compose.yaml': showingFiles },
    // Several stages may be at work at once, and only the tests of the timer let it run out.
    settings: { compose, confirmWithinMs: 300_000 },
    startMs: 40_000,
    open: openComposeDriver,
    served: (file) => servedBy(docker, project, file),
    restart: `cat version.txt >> '${trace}'; echo >> '${trace}'`,
    restarts: async () => (await readFile(trace, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    [Symbol.asyncDispose]: async () => {
      await removeProject(docker, project)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** As a fresh process has it. */
export function openComposeDriver(
  shell: (target: HostTarget) => HostShell = openShell,
): DeployDriver & AsyncDisposable {
  const folders = directoryDriver({ openShell: shell, clock: systemClock })
  return { ...composeDriver(folders), [Symbol.asyncDispose]: () => folders[Symbol.asyncDispose]() }
}

async function servedBy(docker: DockerDaemon, project: string, file: string): Promise<string | undefined> {
  const ids = await containersOf(docker, project, '--filter', 'label=com.docker.compose.service=web')
  if (ids[0] === undefined) return undefined
  return docker.docker('exec', ids[0], 'cat', `/release/${file}`)
}

export async function containersOf(
  docker: DockerDaemon,
  project: string,
  ...more: readonly string[]
): Promise<readonly string[]> {
  const label = `label=com.docker.compose.project=${project}`
  return (await docker.docker('ps', '--quiet', '--filter', label, ...more)).split('\n').filter(Boolean)
}

export async function removeProject(docker: DockerDaemon, project: string): Promise<void> {
  const env = { ...process.env, ...docker.env }
  const script = `
ids=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1")
[ -z "$ids" ] || docker rm --force --volumes $ids
names=$(docker image ls --format '{{.Repository}}:{{.Tag}}' "shipway.local/$1")
[ -z "$names" ] || docker image rm $names
nets=$(docker network ls --quiet --filter "label=com.docker.compose.project=$1")
[ -z "$nets" ] || docker network rm $nets`
  await promisify(execFile)('sh', ['-ec', script, 'remove', project], { env })
}

import { spawn } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { nodeUnusable } from '#core/known/container.ts'
import { pathMap } from '#core/container/path-map.ts'
import type { Mount } from '#core/container/path-map.ts'
import type { StepHost } from '../step-host.ts'
import { runProcess } from '../step-process.ts'
import type { StopSignal } from '../step-process.ts'
import { offerContainerShell } from './container-shell.ts'
import type { Docker } from './docker.ts'

/** The job's container as it runs. */
export interface RunningContainer {
  readonly id: string
  readonly mounts: readonly Mount[]
  /** Its PATH, as image and `env:` say. */
  readonly path: string
  /** True for the image of a platform that has bash: its jobs were written for a machine. */
  readonly prefersBash: boolean
  /** Whether its user may read what the runner alone may. */
  readonly isShared: boolean
  readonly node: string
  readonly image: string
}

/**
 * Says where the process is that it becomes, then becomes the program. Docker starts it as the leader of a group of its own,
 * so that number is the group's as well.
 */
const ENTRY = 'echo $$ >"$1"; shift; exec "$@"'
/** Signals a group in the container, by the number in a file. A group that has gone is fine. */
const SIGNAL = 'read -r group <"$1" && kill -s "$2" -- "-$group" 2>/dev/null'

const START_POLL_MS = 20

/** Steps as processes of the job's container. Files that they share with the runner lie in `temp`. */
export function containerHost(
  docker: Docker,
  container: RunningContainer,
  job: { readonly temp: string; readonly workspace: string; readonly mark: string; nextFileNumber(): number },
): StepHost {
  const paths = pathMap(container.mounts)
  let proof: Promise<void> | undefined
  return {
    kind: 'container',
    baseEnv: { PATH: container.path, RUNNER_TRACKING_ID: job.mark },
    prefersBash: container.prefersBash,
    node: container.node,
    ...paths,
    proveNode: () => (proof ??= proveNode(docker, container)),
    // What its PATH has is the container's business: a program that is not there ends the step with 127.
    findProgram: (name) => name,
    share: (path, kind) => {
      if (!container.isShared) chmodSync(path, kind === 'folder' ? 0o777 : 0o666)
    },
    offerShell: (plan, stop) =>
      offerContainerShell(
        docker,
        {
          id: container.id,
          place: `the container of ${container.image}`,
          folders: [paths.inside(plan.cwd), paths.inside(job.workspace)],
          env: plan.env,
          file: `${job.temp}/_runner_file_commands/env_${job.nextFileNumber()}`,
        },
        stop,
      ),
    run: async (plan, sink, runner, stop) => {
      const number = job.nextFileNumber()
      const pidFile = `${job.temp}/_runner_file_commands/pid_${number}`
      const variables = docker.pass(plan.env, `${job.temp}/_runner_file_commands/env_${number}`)
      const entry = ['/bin/sh', '-c', ENTRY, 'shipway-step', paths.inside(pidFile), ...plan.argv]
      const argv = [
        docker.program,
        'exec',
        '--workdir',
        paths.inside(plan.cwd),
        ...variables.args,
        container.id,
        ...entry,
      ]
      let isRunning = true
      const signal = (name: StopSignal): void => {
        // Docker may still be starting the process: then it is waited for.
        if (!hasText(pidFile)) return void (isRunning && setTimeout(signal, START_POLL_MS, name))
        const args = ['exec', container.id, '/bin/sh', '-c', SIGNAL, 'shipway-stop', paths.inside(pidFile), name]
        spawn(docker.program, args, { env: docker.env, stdio: 'ignore' }).on('error', () => {})
      }
      try {
        return await runProcess({ argv, cwd: '/', env: variables.env, signal }, sink, runner, stop)
      } finally {
        isRunning = false
        variables.done()
      }
    },
  }
}

/** An image without the C library of this machine's Node, of Alpine for example, cannot start it, and the kernel says no more than "not found". */
async function proveNode(docker: Docker, { id, node, image }: RunningContainer): Promise<void> {
  const answer = await docker.ask(['exec', id, node, '--version'])
  if (answer.exitCode !== 0) throw nodeUnusable({ image, problem: answer.stderr || answer.stdout })
}

function hasText(path: string): boolean {
  try {
    return readFileSync(path).length > 0
  } catch {
    return false
  }
}

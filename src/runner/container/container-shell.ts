import { randomUUID } from 'node:crypto'
import type { Stop } from '../job-control.ts'
import type { ShellOffer } from '../step-host.ts'
import type { Docker, DockerAnswer } from './docker.ts'

/** Where a shell is to be opened. */
interface ContainerPlace {
  readonly id: string
  /** For people. */
  readonly place: string
  /** Folders of the container; the first one that is there. */
  readonly folders: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  /** Free for variables that cannot be passed otherwise. */
  readonly file: string
}

/** The best first. Neither reads a profile: the variables are those of the step. */
const shells: readonly (readonly [string, ...string[]])[] = [
  ['bash', '--noprofile', '--norc', '-i'],
  ['sh', '-i'],
]
/** What docker answers when the program is not there or does not start. */
const notStarted: ReadonlySet<number> = new Set([126, 127])

/**
 * A shell in a container that runs, as the user and with the variables of its steps. It ends with the container, whatever becomes of the
 * process that has the terminal: nothing has to be cleaned up after it.
 */
export async function offerContainerShell(docker: Docker, at: ContainerPlace, stop: Stop): Promise<ShellOffer> {
  const variables = docker.pass(at.env, at.file)
  const runs = async (shell: string, ...options: readonly string[]) => {
    const args = ['exec', ...options, ...variables.args, at.id, shell, '-c', 'exit 0']
    return docker.ask(args, { stop, env: variables.env })
  }
  let isOffered = false
  try {
    const shell = await firstShell(runs)
    if ('why' in shell) return { why: `${at.place} ${shell.why}` }
    let [folder] = at.folders
    for (folder of at.folders) if ((await runs(shell.argv[0], '--workdir', folder)).exitCode === 0) break
    isOffered = true
    return {
      argv: [docker.program, 'exec', ...ofTerminal, '--workdir', folder, ...variables.args, at.id, ...shell.argv],
      cwd: '/',
      env: variables.env,
      place: `${folder} in ${at.place}`,
      [Symbol.asyncDispose]: async () => variables.done(),
    }
  } finally {
    if (!isOffered) variables.done()
  }
}

/** What the terminal is and the prompt say the process that has the terminal. */
const ofTerminal = ['--interactive', '--tty', '--env', 'TERM', '--env', 'PS1']

async function firstShell(
  runs: (shell: string) => Promise<DockerAnswer>,
): Promise<{ readonly argv: (typeof shells)[number] } | { readonly why: string }> {
  for (const argv of shells) {
    const { exitCode, stderr } = await runs(argv[0])
    if (exitCode === 0) return { argv }
    if (!notStarted.has(exitCode)) return { why: `does not answer: ${stderr}` }
  }
  return { why: 'has neither bash nor sh.' }
}

/** A container like that of a step which is gone. */
interface ContainerAgain {
  readonly image: string
  /** Of `docker run`: network, mounts, labels of the job and the folder. */
  readonly args: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly file: string
}

/** Waits for a line that nobody writes: the one thing that every shell can do for ever without another program. */
const KEEPER = ['-c', 'read -r _']

/**
 * A shell in a new container like that of a step, whose own is gone: what the step has changed outside of its mounts is not there. The container
 * exists before anybody types, and carries the job's label: it goes with the job, whoever dies in between.
 */
export async function offerShellAgain(docker: Docker, again: ContainerAgain, stop: Stop): Promise<ShellOffer> {
  const { image, args, folder, env, file } = again
  const name = `shipway_shell_${randomUUID()}`
  const remove = async (): Promise<void> => void (await docker.ask(['rm', '--force', '--volumes', name]))
  const place = `a new container of ${image}`
  const variables = docker.pass(env, file)
  try {
    let started = { exitCode: -1, stderr: '' }
    for (const [shell] of shells) {
      const own = ['run', '--detach', '--interactive', '--name', name, '--entrypoint', shell, ...args]
      started = await docker.ask([...own, ...variables.args, image, ...KEEPER], { stop, env: variables.env })
      if (started.exitCode === 0) break
      // One that did not start is there all the same.
      await remove()
      if (!notStarted.has(started.exitCode)) return { why: `${place} did not start: ${started.stderr}` }
    }
    if (started.exitCode !== 0) return { why: `the image ${image} has neither bash nor sh.` }
    // Every variable stands in the container already.
    const offer = await offerContainerShell(docker, { id: name, place, folders: [folder], env: {}, file }, stop)
    if ('why' in offer) await remove()
    return 'why' in offer ? offer : { ...offer, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  } finally {
    variables.done()
  }
}

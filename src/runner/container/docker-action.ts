import { createHash, randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mountArguments } from '#core/container/docker-argv.ts'
import { pathMap } from '#core/container/path-map.ts'
import { splitWords } from '#core/container/words.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { actionFileMissing } from '#core/known/action.ts'
import { containerInvalid, imageBuildFailed } from '#core/known/container.ts'
import { pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import { githubEnvironment } from '#core/step/environment.ts'
import type { ActionRuns } from '#core/workflow/action-model.ts'
import { makeFileCommands } from '../file-command-set.ts'
import type { Stop } from '../job-control.ts'
import { STEP_SUCCEEDED, registerPost, useOf } from '../job-run.ts'
import type { JobRun, LoadedAction, StepEnd } from '../job-run.ts'
import { runStepProcess } from '../script-step.ts'
import type { StepCall } from '../script-step.ts'
import { makeCollector } from '../step-collector.ts'
import { actionEnvironment } from '../step-environment.ts'
import type { StepHost } from '../step-host.ts'
import { runProcess } from '../step-process.ts'
import type { StopSignal } from '../step-process.ts'
import { evaluateEnvironment } from '../evaluate-environment.ts'
import { inputVariables } from '../uses/action-inputs.ts'
import { githubOfAction } from '../uses/github-of-action.ts'
import { offerShellAgain } from './container-shell.ts'
import type { Docker } from './docker.ts'
import { ensureImage } from './image.ts'
import { openDocker } from './job-containers.ts'
import { networkOf, servicesIn } from './job-network.ts'
import { labelArguments } from './labels.ts'
import { actionMounts, engineSocket } from './mounts.ts'
import { tellDocker } from './told-command.ts'

/** One container to run to its end as a step. */
interface StepContainer {
  readonly image: string
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly variables: Readonly<Record<string, string>>
}

/** `uses: docker://image`: the inputs `args` and `entrypoint` are for docker, the others for the program (108). */
export async function runImageStep(
  job: JobRun,
  call: StepCall,
  given: Readonly<Record<string, string>>,
): Promise<StepEnd> {
  const docker = await openDocker(job)
  const image = (call.step.uses ?? '').replace(/^docker:\/\//, '')
  await ensureImage(job, docker, { image })
  const variables = inputVariables(given)
  return runContainer(job, call, docker, {
    image,
    entrypoint: given['entrypoint'] ?? '',
    args: argsOf(given) ?? [],
    variables,
  })
}

/** What a Docker action works with. `given` is what the step wrote, without defaults. */
export interface DockerCall {
  readonly action: LoadedAction
  readonly inputs: Readonly<Record<string, string>>
  readonly given: Readonly<Record<string, string>>
}

/** Runs one stage of an action whose `runs.using` is `docker` (107). */
export async function runDockerAction(
  job: JobRun,
  call: StepCall,
  { action, inputs, given }: DockerCall,
): Promise<StepEnd> {
  const { runs } = action.model
  if (runs.kind !== 'docker') throw new Error(`Invariant broken: ${action.uses} is not a Docker action`)
  const registers = job.stage === 'main' || (job.stage === 'pre' && call.frame.depth === 0)
  if (registers && runs.postEntrypoint !== undefined) registerPost(call.frame, call.step, runs.postIf)
  const entrypoint = entrypointOf(job, runs, given)
  if (entrypoint === undefined) return STEP_SUCCEEDED
  const docker = await openDocker(job)
  const image = await imageOf(job, docker, action, runs.image)
  const scope = { contexts: { inputs } }
  const { state } = useOf(call.frame, call.step)
  const variables = {
    ...evaluateEnvironment(runs.env, scope),
    ...call.env,
    ...githubEnvironment(githubOfAction(job, call.step, action)),
    ...inputVariables(inputs),
    ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
  }
  const args = argsOf(given) ?? runs.args.map((arg) => toText(evaluateTemplate(arg, scope)))
  return runContainer(job, call, docker, { image, entrypoint, args, variables })
}

/** Undefined when the action has nothing for the stage; empty for what the image itself starts. */
function entrypointOf(
  job: JobRun,
  runs: Extract<ActionRuns, { kind: 'docker' }>,
  given: Readonly<Record<string, string>>,
): string | undefined {
  if (job.stage === 'pre') return runs.preEntrypoint
  if (job.stage === 'post') return runs.postEntrypoint
  return given['entrypoint'] ?? runs.entrypoint ?? ''
}

function argsOf(given: Readonly<Record<string, string>>): readonly string[] | undefined {
  const name = Object.keys(given).find((key) => key.toLowerCase() === 'args')
  return name === undefined ? undefined : words(given[name] ?? '', 'args')
}

function words(text: string, place: string): readonly string[] {
  const found = splitWords(text)
  if (found === undefined) throw containerInvalid({ place, problem: 'has a quote without an end' })
  return found
}

/** Images that this job has built already, by their action: all stages of one use share it. */
const builtImages = new WeakMap<LoadedAction, string>()

async function imageOf(job: JobRun, docker: Docker, action: LoadedAction, written: string): Promise<string> {
  if (written.toLowerCase().startsWith('docker://')) {
    const image = written.slice('docker://'.length)
    await ensureImage(job, docker, { image })
    return image
  }
  const known = builtImages.get(action)
  if (known !== undefined) return known
  const file = normalizePath(written, action.folder)
  if (!isInside(file, action.root)) throw pathEscapes({ path: written, root: action.root })
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw actionFileMissing({ uses: action.uses, file: written, folder: action.folder })
  // The tag keeps layers for the next build. The image is used by its id, because another job may move the tag.
  const tag = `shipway-action:${createHash('sha256').update(action.uses).digest('hex').slice(0, 16)}`
  const idFile = `${job.order.paths.temp}/_image_${job.nextFileNumber()}`
  job.print([`##[group]Build the image of ${action.uses}`])
  const build = ['build', '--tag', tag, '--iidfile', idFile, '--file', file, dirname(file)]
  const { exitCode, tail } = await tellDocker(job, docker, build)
  job.print(['##[endgroup]'])
  if (exitCode !== 0) throw imageBuildFailed({ uses: action.uses, output: tail })
  const id = readFileSync(idFile, 'utf8').trim()
  builtImages.set(action, id)
  return id
}

async function runContainer(job: JobRun, call: StepCall, docker: Docker, wanted: StepContainer): Promise<StepEnd> {
  const files = makeFileCommands(job)
  mkdirSync(join(job.order.paths.temp, '_runner_file_commands'), { recursive: true, mode: 0o700 })
  const mounts = await actionMounts(job)
  const paths = pathMap(mounts)
  const socket = await engineSocket(job, docker)
  const network = await networkOf(job, docker)
  const env: Record<string, string> = {
    HOME: '/github/home',
    ...actionEnvironment(job, { frame: call.frame, env: call.env, action: call.step.id }, (path) => paths.inside(path)),
    ...wanted.variables,
    ...(await servicesIn(job, network)),
    ...Object.fromEntries(Object.entries(files).map(([name, path]) => [name, paths.inside(path)])),
  }
  const actionPath = env['GITHUB_ACTION_PATH']
  if (actionPath !== undefined) env['GITHUB_ACTION_PATH'] = paths.inside(job.host.outside(actionPath))
  const [program, ...before] = words(wanted.entrypoint, 'entrypoint')
  const name = `shipway_step_${randomUUID()}`
  const entry = program === undefined ? [] : ['--entrypoint', program]
  const common = [
    ...labelArguments(job),
    '--workdir',
    workspaceInside,
    ...(network.name === undefined ? [] : ['--network', network.name]),
    ...mountArguments(socket === undefined ? mounts : [...mounts, { outside: socket, inside: '/var/run/docker.sock' }]),
  ]
  const host = containerOfStep(job, docker, { name, args: ['--name', name, '--rm', ...entry, ...common], paths })
  const collector = makeCollector(call.outputs, useOf(call.frame, call.step).state)
  const argv = [wanted.image, ...before, ...wanted.args]
  const end = await runStepProcess(job, { argv, cwd: job.order.paths.workspace, env }, { files, collector, host })
  const offerShell = async (stop: Stop) => {
    const { image } = wanted
    // Fresh files for file commands: those of the step are read.
    const fresh = Object.entries(makeFileCommands(job)).map(([key, path]) => [key, paths.inside(path)])
    const world = { ...env, ...Object.fromEntries(fresh) }
    const again = { image, args: common, folder: workspaceInside, env: world, file: variableFile(job) }
    return offerShellAgain(docker, again, stop)
  }
  return { ...end, offerShell }
}

/** Working directory of every action's container (107). */
const workspaceInside = '/github/workspace'

function variableFile(job: JobRun): string {
  return `${job.order.paths.temp}/_runner_file_commands/env_${job.nextFileNumber()}`
}

/** A host for one program: what it runs is the container itself, `argv` being its image and arguments. */
function containerOfStep(
  job: JobRun,
  docker: Docker,
  {
    name,
    args,
    paths,
  }: { readonly name: string; readonly args: readonly string[]; readonly paths: ReturnType<typeof pathMap> },
): StepHost {
  return {
    ...job.machine,
    ...paths,
    kind: 'container',
    baseEnv: {},
    run: async (plan, sink, runner, stop) => {
      const variables = docker.pass(plan.env, variableFile(job))
      const argv = [docker.program, 'run', ...args, ...variables.args, ...plan.argv]
      const signal = (stopSignal: StopSignal): void => {
        const how = stopSignal === 'KILL' ? ['rm', '--force', name] : ['kill', '--signal', stopSignal, name]
        spawn(docker.program, how, { env: docker.env, stdio: 'ignore' }).on('error', () => {})
      }
      try {
        return await runProcess({ argv, cwd: '/', env: variables.env, signal }, sink, runner, stop)
      } finally {
        variables.done()
      }
    },
  }
}

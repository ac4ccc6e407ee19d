import { isEcr, registryOfLogin } from '#core/image/reference.ts'
import { registryAbsent, registryDenied, registryUnreachable } from '#core/known/image.ts'
import { actionInputInvalid, actionInputUnsupported } from '#core/known/runner.ts'
import { makeOwnConfig } from '../image/docker-config.ts'
import { RegistryClient } from '../image/registry-client.ts'
import type { ActionContext, BuiltInAction, StepDocker } from './built-in-action.ts'

/** What `run` tells `post`. */
const FOLDER = 'folder'

/**
 * Logs the job in at a registry, for all its steps, and out again at its end. The login lies in a configuration of the job's own,
 * which DOCKER_CONFIG names: GitHub throws its machines away after a job, and here `~/.docker` is somebody's.
 */
export const dockerLogin: BuiltInAction = {
  name: 'docker/login-action',
  inputs: {
    registry: undefined,
    username: undefined,
    password: undefined,
    scope: undefined,
    ecr: 'auto',
    logout: 'true',
    'registry-auth': undefined,
  },
  async run(context: ActionContext): Promise<void> {
    const { inputs } = context
    const registry = registryOfLogin(inputs.text('registry'))
    checkInputs(context, registry)
    const docker = await context.openDocker()
    const folder = makeOwnConfig(context, docker, { keepsLogins: true }).folder
    const [username, password] = [inputs.text('username'), inputs.text('password')]
    const server = registry === undefined ? [] : [registry]
    const args = ['--config', folder, 'login', '--username', username, '--password-stdin', ...server]
    const answer = await docker.ask(args, { input: password })
    if (answer.exitCode !== 0) throw await reasonOf(context, registry, { username, password })
    context.setVariable('DOCKER_CONFIG', context.inside(folder))
    context.state[FOLDER] = folder
    context.print([`Logged in at ${registry ?? 'docker.io'} as ${username}, for the steps of this job.`])
  },
  async post(context: ActionContext): Promise<void> {
    const { [FOLDER]: folder } = context.state
    if (folder === undefined || !context.inputs.boolean('logout')) return
    const docker: StepDocker = await context.openDocker()
    const registry = registryOfLogin(context.inputs.text('registry'))
    await docker.ask(['--config', folder, 'logout', ...(registry === undefined ? [] : [registry])])
    context.print([`Logged out at ${registry ?? 'docker.io'}.`])
  },
}

function checkInputs(context: ActionContext, registry: string | undefined): void {
  const { inputs, action } = context
  for (const input of ['scope', 'registry-auth']) {
    const value = inputs.text(input)
    const instead = 'One step for each registry, with `registry`, `username` and `password`.'
    if (value !== '') throw actionInputUnsupported({ action, input, value: '…', instead })
  }
  const ecr = inputs.choice('ecr', ['auto', 'true', 'false'])
  if (ecr === 'true' || (ecr === 'auto' && registry !== undefined && isEcr(registry))) {
    const instead = 'Give `ecr: false`, `username: AWS`, and what `aws ecr get-login-password` prints as `password:`.'
    throw actionInputUnsupported({ action, input: 'ecr', value: ecr, instead })
  }
  for (const input of ['username', 'password']) {
    if (inputs.text(input) !== '') continue
    throw actionInputInvalid({ action, input, value: '', expected: 'given: username and password are required' })
  }
}

/** Why docker did not log in, by what the registry itself answers. */
async function reasonOf(
  context: ActionContext,
  registry: string | undefined,
  login: { readonly username: string; readonly password: string },
): Promise<Error> {
  const shown = registry ?? 'docker.io'
  const root = await context.stoppable((stop) => new RegistryClient({ registry, path: '' }, login, stop.signal).root())
  if (root.kind === 'silent') return registryUnreachable({ registry: shown, tries: 1, problem: root.problem })
  const isRegistry = root.status === 200 || root.status === 401
  return isRegistry
    ? registryDenied({ registry: shown, image: 'the login', status: 401, user: login.username })
    : registryAbsent({ registry: shown, answer: String(root.status) })
}

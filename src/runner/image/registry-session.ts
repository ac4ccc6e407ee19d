import { imageNotPushed, registryAbsent, registryDenied, registryUnreachable } from '#core/known/image.ts'
import { taggedName } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { actionInputInvalid } from '#core/known/runner.ts'
import type { ActionContext, StepDocker } from '../actions/built-in-action.ts'
import { knownLogin, makeOwnConfig } from './docker-config.ts'
import type { OwnConfig } from './docker-config.ts'
import { RegistryClient } from './registry-client.ts'
import type { Credentials, RegistryAnswer } from './registry-client.ts'

/** How often a registry that is away, or busy, is asked again. With the pauses between: half a minute. */
const TRIES_MAX = 5

/** What a step does with the registries of its images: one login each, removed at its end. */
export class RegistrySession implements Disposable {
  readonly hasLogin: boolean
  readonly #context: ActionContext
  readonly #docker: StepDocker
  readonly #login: Credentials | undefined
  readonly #asks: boolean
  /** Where the door was open, and for what. */
  readonly #entered = new Set<string>()
  readonly #configs = new Map<string | undefined, OwnConfig>()

  /** `asks`: whether the registry is asked from this machine, too, and not by the Docker engine alone. */
  constructor(context: ActionContext, docker: StepDocker, { asks = true }: { readonly asks?: boolean } = {}) {
    this.#asks = asks
    this.#context = context
    this.#docker = docker
    this.#login = readLogin(context)
    this.hasLogin = this.#login !== undefined
  }

  /** Asks, and stops asking when the step is stopped. */
  async ask(
    image: ImageReference,
    question: (client: RegistryClient) => Promise<RegistryAnswer>,
  ): Promise<RegistryAnswer> {
    const credentials = this.#login ?? (await knownLogin(this.#docker, image.registry))
    return this.#context.stoppable(async (stop) => {
      const answer = await question(new RegistryClient(image, credentials, stop.signal))
      stop.check()
      return answer
    })
  }

  /**
   * Waits a while for a registry that is away, and says by name what is wrong otherwise. For docker, logs in at the same time:
   * with the password on standard input, in a configuration of its own. Returns the arguments that docker needs before others.
   */
  async enter(image: ImageReference, purpose: 'pull' | 'push'): Promise<readonly string[]> {
    const door = `${purpose} ${image.name}`
    if (this.#asks && !this.#entered.has(door)) await this.#await(image, purpose)
    this.#entered.add(door)
    if (this.#login === undefined) return []
    const known = this.#configs.get(image.registry)
    if (known !== undefined) return ['--config', known.folder]
    const config = makeOwnConfig(this.#context, this.#docker)
    this.#configs.set(image.registry, config)
    const { username, password } = this.#login
    const server = image.registry === undefined ? [] : [image.registry]
    const args = ['--config', config.folder, 'login', '--username', username, '--password-stdin', ...server]
    const { exitCode } = await this.#docker.ask(args, { input: password })
    if (exitCode !== 0) throw this.#denied(image, 401)
    return ['--config', config.folder]
  }

  /** What docker needs before its other arguments to be who the step says; nothing before `enter`. */
  loginArguments(image: ImageReference): readonly string[] {
    const config = this.#configs.get(image.registry)
    return config === undefined ? [] : ['--config', config.folder]
  }

  /** Pushes one tag, again when it fails for a reason that may pass. Returns what docker said last. */
  async push(image: ImageReference, tag: string): Promise<string> {
    const name = taggedName(image, tag)
    let output = ''
    for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
      if (attempt > 1) await this.#context.pause(attempt - 1)
      const before = await this.enter(image, 'push')
      this.#context.print([`##[command]docker push ${name}`])
      const { exitCode, tail } = await this.#docker.tell([...before, 'push', name])
      if (exitCode === 0) return tail
      output = tail
      this.#entered.clear()
      this.#context.print([`${name} was not pushed, try ${attempt} of ${TRIES_MAX}.`])
    }
    throw imageNotPushed({ image: name, tries: TRIES_MAX, output })
  }

  [Symbol.dispose](): void {
    for (const config of this.#configs.values()) config[Symbol.dispose]()
  }

  async #await(image: ImageReference, purpose: 'pull' | 'push'): Promise<void> {
    const registry = image.registry ?? 'docker.io'
    let problem = ''
    for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
      if (attempt > 1) await this.#context.pause(attempt - 1)
      const silence = await this.#knock(image, registry, purpose)
      if (silence === undefined) return
      problem = silence
      this.#context.print([`The registry ${registry} does not answer (${problem}), try ${attempt} of ${TRIES_MAX}.`])
    }
    throw registryUnreachable({ registry, tries: TRIES_MAX, problem })
  }

  /** Undefined when the door is open; a text when nobody is there now. */
  async #knock(image: ImageReference, registry: string, purpose: 'pull' | 'push'): Promise<string | undefined> {
    const root = await this.ask(image, (client) => client.root())
    if (root.kind === 'silent') return root.problem
    if (isPassing(root.status)) return `it says ${root.status}`
    if (root.status !== 200 && root.status !== 401) throw registryAbsent({ registry, answer: String(root.status) })
    if (purpose === 'pull') return undefined
    const push = await this.ask(image, (client) => client.tryPush())
    if (push.kind === 'silent') return push.problem
    if (isPassing(push.status)) return `it says ${push.status}`
    if (push.status === 401 || push.status === 403) throw this.#denied(image, push.status)
    return undefined
  }

  #denied(image: ImageReference, status: number): Error {
    const user = this.#login?.username ?? ''
    return registryDenied({ registry: image.registry ?? 'docker.io', image: image.name, status, user })
  }
}

/** Statuses that another moment may change. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429
}

function readLogin(context: ActionContext): Credentials | undefined {
  const [username, password] = [context.inputs.text('username'), context.inputs.text('password')]
  if (username === '' && password === '') return undefined
  const missing = username === '' ? 'username' : password === '' ? 'password' : undefined
  if (missing === undefined) return { username, password }
  const expected = 'given together with the other one; an empty password is often a secret that is not there'
  throw actionInputInvalid({ action: context.action, input: missing, value: '', expected })
}

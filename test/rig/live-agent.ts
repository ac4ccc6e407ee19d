import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Shipway } from './shipway.ts'
import type { Call } from './shipway.ts'

/**
 * A state home with an agent that lives as long as the suite, so that many `shipway run` calls share it: a call is then half as long, and
 * several go at once as they would on a server.
 */
export class LiveAgent implements AsyncDisposable {
  readonly home: string
  readonly #shipway: Shipway
  readonly #agent: Call

  private constructor(home: string, shipway: Shipway, agent: Call) {
    this.home = home
    this.#shipway = shipway
    this.#agent = agent
  }

  /** `env` is what agent and steps inherit beyond this process's own environment; `undefined` takes a variable away. */
  static async start(
    options: { readonly jobs?: number; readonly env?: Readonly<Record<string, string | undefined>> } = {},
  ): Promise<LiveAgent> {
    const home = mkdtempSync(path.join(tmpdir(), 'shipway-home-'))
    const shipway = new Shipway(home)
    Object.assign(shipway.env, options.env)
    const agent = shipway.start(home, 'agent', '--jobs', String(options.jobs ?? 4))
    await agent.prints('agent of')
    return new LiveAgent(home, shipway, agent)
  }

  /** Calls on the same home, with what they print shown when the test fails that makes this. */
  client(env: Readonly<Record<string, string | undefined>> = {}): Shipway {
    const client = new Shipway(this.home)
    Object.assign(client.env, this.#shipway.env, env)
    return client
  }

  /** The same without a word when the test fails, which is what an expected failure does. */
  get quietClient(): Shipway {
    return this.#shipway
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.child.kill('SIGINT')
    await this.#agent.ended
    await this.#shipway[Symbol.asyncDispose]()
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

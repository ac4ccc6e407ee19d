import type { Json } from '#core/json.ts'
import { isJsonObject } from '#core/json.ts'
import type { FollowOptions, ServeOptions } from '#ports/agent-client.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadTicket } from '#store/ticket.ts'
import { Follower } from './follow.ts'

/** Runs, deployments, backups and restores: what has a history. */
const withHistory = /^(?:run|dep|bkp|rst)_/

/**
 * What an agent does, for whoever watches all of it: the agent names what has changed, and the histories tell what. A ticket that is refused has
 * none; it is a remark.
 */
export class AgentNews {
  readonly #files: HomeFiles
  readonly #onItem: FollowOptions['onItem']
  readonly #onRemark: ServeOptions['onRemark']
  readonly #heard = new Set<string>()
  readonly #followers = new Map<string, Follower>()

  constructor(
    files: HomeFiles,
    { onItem, onRemark }: Pick<FollowOptions, 'onItem'> & { readonly onRemark: ServeOptions['onRemark'] | undefined },
  ) {
    this.#files = files
    this.#onItem = onItem
    this.#onRemark = onRemark
  }

  hear(subject: string): void {
    this.#heard.add(subject)
  }

  /** Tells what is new since the last reading. */
  async read(query: Query): Promise<void> {
    const subjects = [...this.#heard]
    this.#heard.clear()
    for (const subject of subjects) {
      if (withHistory.test(subject)) await this.#follower(subject).read(query)
      else if (subject.startsWith('tk_')) await this.#tellRefusal(query, subject)
    }
  }

  #follower(subject: string): Follower {
    const known = this.#followers.get(subject)
    if (known !== undefined) return known
    const follower = new Follower(this.#files, subject, { logs: false, deployments: false, onItem: this.#onItem })
    this.#followers.set(subject, follower)
    return follower
  }

  async #tellRefusal(query: Query, id: string): Promise<void> {
    const stored = await loadTicket(query, id)
    if (stored?.outcome?.kind !== 'refused') return
    const { kind } = stored.ticket.request
    this.#onRemark?.(
      `The ticket ${id} of ${stored.ticket.requestedBy} (${kind}) is refused: ${messageOf(stored.outcome.error)}`,
    )
  }
}

function messageOf(error: Json): string {
  const message = isJsonObject(error) ? error['message'] : undefined
  return typeof message === 'string' ? message : 'no reason was recorded.'
}

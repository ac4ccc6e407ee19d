import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Repository } from './repository.ts'
import { Shipway } from './shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`
const config = (database: string, target: string): string => `name: shop
environments:
  live: { targets: [${target}], database: ${database} }
`

/** An item of `shipway backup list`. */
export interface BackupItem {
  readonly id: string
  readonly kind: string
  readonly conclusion?: string
  readonly reason?: { readonly code: string; readonly message: string }
  readonly digest?: string
  readonly size?: number
  readonly restore?: string
  readonly removedAt?: string
  readonly requestedBy: string
  readonly tables?: readonly { readonly table: string; readonly rows: number }[]
}

/** A home whose environment \`live\` has the database, after one green run. */
export class BackupShop implements AsyncDisposable {
  readonly shipway = new Shipway()
  readonly repository: Repository
  readonly scratch = mkdtempSync(path.join(tmpdir(), 'shipway-story-'))

  constructor(database: string, target: string) {
    this.repository = new Repository({ '.github/workflows/ci.yml': workflow, 'shipway.yml': config(database, target) })
    this.shipway.env['TMPDIR'] = this.scratch
  }

  static async open(
    url: string,
    database = '{ url: DATABASE_URL, keep: 2 }',
    target = './targets/live',
    env: Readonly<Record<string, string>> = {},
  ): Promise<BackupShop> {
    const shop = new BackupShop(database, target)
    Object.assign(shop.shipway.env, env)
    shop.secret(url)
    const { status } = await shop.call('run', 'push')
    if (status !== 0) throw new Error(`The first run ended with ${status}`)
    return shop
  }

  secret(url: string): void {
    const folder = path.join(this.shipway.home, 'secrets/shop')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(folder, 'live.json'), JSON.stringify({ DATABASE_URL: url }), { mode: 0o600 })
  }

  call(...args: readonly string[]): ReturnType<Shipway['call']> {
    return this.shipway.call(this.repository.root, ...args)
  }

  async list(): Promise<readonly BackupItem[]> {
    const { stdout } = await this.call('backup', 'list', 'live', '--json')
    return (JSON.parse(stdout) as { items: readonly BackupItem[] }).items
  }

  file(digest = ''): string {
    return path.join(this.shipway.home, 'backups/sha256', digest.slice(0, 2), digest)
  }

  /** What lies in the folder for temporary files. */
  leftovers(): readonly string[] {
    return readdirSync(this.scratch).filter((name) => name.startsWith('shipway-bkp') || name.startsWith('shipway-rst'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shipway[Symbol.asyncDispose]()
    this.repository[Symbol.dispose]()
    rmSync(this.scratch, { recursive: true, force: true })
  }
}

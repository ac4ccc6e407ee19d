import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { baseImage } from './docker.ts'
import type { DockerDaemon } from './docker.ts'
import { holdTransaction, shopPassword, shopSchema } from './shop-database.ts'
import type { ShopDatabase } from './shop-database.ts'

const run = promisify(execFile)
const image = 'shipway-test/shop-database:1'

/**
 * As the images of PostgreSQL that people use: the server runs as `postgres`, `docker exec` as root, and the role is asked for its password over
 * TCP. Root also has an entry of `pg_service.conf` with a password file.
 */
const dockerfile = [
  `FROM ${baseImage}`,
  String.raw`RUN bin=$(ls -d /usr/lib/postgresql/*/bin); mkdir /cluster /run/shop; chown postgres /cluster /run/shop; \
    setpriv --reuid postgres --clear-groups $bin/initdb --no-sync -D /cluster -U shipway -A trust -E UTF8 --no-locale >/dev/null; \
    printf 'local all shipway trust\nhost all all all scram-sha-256\n' >/cluster/pg_hba.conf; \
    printf '[shop]\nhost=127.0.0.1\nuser=app\ndbname=shop\n' >/root/.pg_service.conf`,
  `RUN umask 077; printf '127.0.0.1:*:*:app:%s\\n' '${shopPassword}' >/root/.pgpass`,
  `CMD exec setpriv --reuid postgres --clear-groups $(ls -d /usr/lib/postgresql/*/bin)/postgres -D /cluster -k /run/shop -c "listen_addresses=*" -c fsync=off`,
]

/** The database of the shop in a container that has no network. */
export interface ShopContainer extends ShopDatabase {
  readonly name: string
  /** Command lines of everything that runs in the container. */
  commandLines(): Promise<string>
  stop(): Promise<void>
}

/** Starts it; its name is of this call. */
export async function startShopContainer(daemon: DockerDaemon, name: string): Promise<ShopContainer> {
  await daemon.build(image, dockerfile)
  await daemon.docker('run', '--detach', '--network', 'none', '--name', name, image)
  const client = 'psql -X -q -A -t -v ON_ERROR_STOP=1 -h /run/shop -U shipway -d'.split(' ')
  const psql = (database: string): readonly string[] => ['exec', '--interactive', name, ...client, database]
  const env = { ...process.env, ...daemon.env }
  const sql = async (database: string, statement: string): Promise<string> =>
    daemon.docker(...psql(database), '-c', statement)
  await ready(async () => sql('postgres', 'select 1'))
  await sql('postgres', `create role app login createdb password '${shopPassword}'`)
  await sql('postgres', 'create database shop owner app')
  await sql('shop', `set role app; ${shopSchema}`)
  const urlOf = (user: string, password: string): string =>
    `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1/shop`
  return {
    name,
    url: urlOf('app', shopPassword),
    urlOf,
    sql: (statement) => sql('shop', `set role app; ${statement}`),
    hold: async (statements) => {
      const child = spawn('docker', psql('shop'), { env, stdio: ['pipe', 'pipe', 'ignore'] })
      return holdTransaction(child, statements)
    },
    leftovers: () =>
      sql('postgres', `select string_agg(datname, ',') from pg_database where datname like 'shipway\\_%'`),
    commandLines: async () => (await run('docker', ['top', name, '-eo', 'pid,args'], { env })).stdout,
    stop: async () => void (await daemon.docker('stop', name)),
    [Symbol.asyncDispose]: async () => void (await daemon.docker('rm', '--force', '--volumes', name)),
  }
}

async function ready(ask: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;)
    try {
      await ask()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
}

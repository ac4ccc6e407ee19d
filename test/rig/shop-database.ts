import { execFile, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { startPostgres } from './postgres.ts'

const run = promisify(execFile)

/** Password of the role that owns the database; a text that must not be found anywhere afterwards. */
export const shopPassword = 'correct horse/battery%staple'

/** A real database with tables, constraints, sequences, large objects and rows, owned by a role with a password. */
export interface ShopDatabase extends AsyncDisposable {
  /** Address with the password, as a secret holds it. */
  readonly url: string
  /** Address of the same with another user or password. */
  urlOf(user: string, password: string): string
  /** Statements of the owner, in the database of the shop; the rows of the last one as text. */
  sql(statement: string): Promise<string>
  /** Runs statements in a transaction of a superuser that stays open until it is disposed: what it locks is locked. */
  hold(statements: string): Promise<AsyncDisposable>
  /** Names of databases that were left by backups and restores. */
  leftovers(): Promise<string>
}

/** What the database of the shop holds. */
export const shopSchema = `
create schema stock;
create type stock.colour as enum ('red', 'green');
create table customer (id serial primary key, name text not null unique);
create table stock.item (id bigint generated always as identity primary key, customer int not null references customer(id), colour stock.colour, note text);
create table "odd ""name" (id int);
create table part (id int, year int) partition by range (year);
create table part_2026 partition of part for values from (2026) to (2027);
create view rich as select c.name, count(*) from customer c join stock.item i on i.customer = c.id group by 1;
insert into customer (name) select 'customer ' || g from generate_series(1, 1000) g;
insert into stock.item (customer, colour, note) select g, 'red', repeat('x', 200) from generate_series(1, 1000) g;
insert into part select g, 2026 from generate_series(1, 7) g;
select lo_from_bytea(0, 'a large object');
`

/** Starts a server with the database \`shop\`, or says why this machine cannot. */
export async function startShopDatabase(): Promise<ShopDatabase | { readonly missing: string }> {
  // Every backup makes a database of its own, and each waits for hundreds of files; only a machine without power needs them on the disk.
  const server = await startPostgres('fsync=off')
  if ('missing' in server) return server
  const folder = dirname(server.socket)
  const psql = async (database: string, statement: string, user = 'shipway'): Promise<string> => {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-U', user, '-d', database]
    const { stdout } = await run('psql', [...args, '-c', statement], { maxBuffer: 1e8 })
    return stdout.trim()
  }
  await psql('postgres', `create role app login createdb password '${shopPassword}'`)
  await psql('postgres', `create role poor login password '${shopPassword}'`)
  await psql('postgres', 'create database shop owner app')
  await psql('shop', shopSchema, 'app')
  const rules = join(folder, 'data/pg_hba.conf')
  await writeFile(rules, `local all shipway trust\nlocal all all scram-sha-256\n${await readFile(rules, 'utf8')}`)
  await psql('postgres', 'select pg_reload_conf()')
  const urlOf = (user: string, password: string): string =>
    `postgres://${user}:${encodeURIComponent(password)}@/shop?host=${encodeURIComponent(folder)}`
  return {
    url: urlOf('app', shopPassword),
    urlOf,
    sql: (statement) => psql('shop', `set role app; ${statement}`),
    hold: async (statements) => {
      const args = ['-X', '-q', '-A', '-t', '-h', folder, '-U', 'shipway', '-d', 'shop']
      const child = spawn('psql', args, { stdio: ['pipe', 'pipe', 'ignore'] })
      return holdTransaction(child, statements)
    },
    leftovers: () =>
      psql('postgres', `select string_agg(datname, ',') from pg_database where datname like 'shipway\\_%'`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Has a `psql` run statements in a transaction, and keeps it open until it is disposed. */
export async function holdTransaction(
  psql: ChildProcessByStdio<Writable, Readable, null>,
  statements: string,
): Promise<AsyncDisposable> {
  const ended = once(psql, 'close')
  psql.stdin.write(`begin; ${statements};\n\\echo held\n`)
  for await (const text of psql.stdout.iterator({ destroyOnReturn: false })) if (String(text).includes('held')) break
  psql.stdout.resume()
  return {
    [Symbol.asyncDispose]: async () => {
      psql.stdin.end()
      await ended
    },
  }
}

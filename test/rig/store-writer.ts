// A process that writes to a store until it is killed or the disk is full: `node store-writer.ts DATABASE MODE`.
//
//   pairs   four writers commit pairs of rows, and each number is acknowledged on standard output after its commit
//   fill    commits until the disk is full, tells how many, waits for a line on standard input, commits once more
//   hold    makes the tables, commits one pair, says `held` and waits to be killed: its log stays behind
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { KnownError } from '#core/errors.ts'

/** No disk of a test is that large: a store that does not notice a full one must not go on for ever. */
const fillCountMax = 20_000

const [, , path = '', mode = ''] = process.argv
const store = await openSqlite({ path })
await store.query('create table if not exists a (n integer primary key, filler text)')
await store.query('create table if not exists b (n integer primary key)')
const [row] = await store.query<{ n: number | null }>('select max(n) as n from a')
let last = row?.n ?? 0

if (mode === 'pairs') await Promise.all([writePairs(), writePairs(), writePairs(), writePairs()])
else if (mode === 'fill') await fill()
else if (mode === 'hold') await hold()

async function writePairs(): Promise<never> {
  for (;;) tell(await writePair(''))
}

async function writePair(filler: string): Promise<number> {
  const n = (last += 1)
  await store.transaction(async (q) => {
    await q('insert into a (n, filler) values ($1, $2)', [n, filler])
    await q('insert into b (n) values ($1)', [n])
  })
  return n
}

async function fill(): Promise<void> {
  let committed = 0
  let code = 'none'
  try {
    while (committed < fillCountMax) {
      await writePair('x'.repeat(2_000))
      committed += 1
    }
  } catch (error) {
    code = error instanceof KnownError ? error.code : String(error)
  }
  tell(`${committed} ${code}`)
  await once(createInterface({ input: process.stdin }), 'line')
  await writePair('')
  const [check] = await store.query<{ integrity_check: string }>('pragma integrity_check')
  const [a] = await store.query<{ n: number }>('select count(*) as n from a')
  const [b] = await store.query<{ n: number }>('select count(*) as n from b')
  tell(`${check?.integrity_check ?? ''} ${a?.n ?? -1} ${b?.n ?? -1}`)
  await store.close()
  process.exit(0)
}

async function hold(): Promise<void> {
  await writePair('')
  tell('held')
  // Reading keeps the process alive: one that waits for nothing ends, closes the store and takes its log away.
  process.stdin.resume()
  await once(process.stdin, 'end')
}

/** Synchronous: what is told is in the pipe before anything else happens. */
function tell(what: string | number): void {
  writeSync(1, `${what}\n`)
}

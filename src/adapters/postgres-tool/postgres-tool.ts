import type { TableCount } from '#core/backup/model.ts'
import { databaseRefused } from '#core/known/backup.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { DatabaseOrder, DatabaseTool, StagedDump, StagedRestore } from '#ports/database-tool.ts'
import type { HostShell, ShellResult } from '#ports/host-shell.ts'
import {
  applyScript,
  countSql,
  dumpInside,
  dumpScript,
  dumpSql,
  emptySql,
  endScript,
  pieceScript,
  removeScript,
  stageScript,
} from './script.ts'

/** A dump, a restore: as long as a large database takes. */
const workMsMax = 12 * 60 * 60_000
/** One piece of a file, one removal. */
const callMsMax = 5 * 60_000
/** Sessions and what they have left are ended after an abort; somebody may wait for that who has pressed Ctrl-C. */
const endMsMax = 30_000
/** A piece as base 64 stays well below what a shell may answer. MiB. */
const pieceMiB = 16
/** Lines of what a server said that are kept. */
const detailsMax = 12

/**
 * PostgreSQL through `pg_dump`, `pg_restore` and `psql` where the database is: on this machine, on a host over ssh, or in a container there.
 * Nothing but a file passes between here and there, and not a byte of the password is in an argument.
 */
export function postgresTool(openShell: (target: HostTarget) => HostShell): DatabaseTool {
  return {
    dump: async (order, signal) => {
      const host = new DatabaseHost(openShell(order.at), order, signal)
      try {
        return await dump(host)
      } catch (error) {
        await host[Symbol.asyncDispose]()
        throw error
      }
    },
    stage: async (order, file, signal) => {
      const host = new DatabaseHost(openShell(order.at), order, signal)
      try {
        return await stage(host, file)
      } catch (error) {
        await host[Symbol.asyncDispose]()
        throw error
      }
    },
  }
}

async function dump(host: DatabaseHost): Promise<StagedDump> {
  const lines = await host.perform('Taking the backup', dumpScript, [dumpInside, dumpSql, countSql])
  const [database = '', server = ''] = parseJson(valuesOf(lines, 'shipway-source')[0] ?? '[]').map(String)
  const [digest = '', size = ''] = (valuesOf(lines, 'shipway-file')[0] ?? '').split(' ')
  const facts = {
    digest,
    size: Number(size),
    server,
    database,
    tables: tablesOf(lines, 'shipway-count'),
    restored: tablesOf(lines, 'shipway-restored'),
  }
  return { facts, read: () => host.pieces(facts.size), [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() }
}

async function stage(
  host: DatabaseHost,
  file: { readonly digest: string; readonly content: AsyncIterable<Uint8Array> },
): Promise<StagedRestore> {
  const lines = await host.perform('Reading the backup', stageScript, [file.digest, countSql], file.content)
  return {
    restored: tablesOf(lines, 'shipway-restored'),
    apply: async () =>
      tablesOf(await host.perform('Restoring the backup', applyScript, [emptySql, countSql]), 'shipway-restored'),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}

/** The calls of one order on its host. */
class DatabaseHost implements AsyncDisposable {
  readonly #shell: HostShell
  readonly #order: DatabaseOrder
  readonly #signal: AbortSignal

  constructor(shell: HostShell, order: DatabaseOrder, signal: AbortSignal) {
    this.#shell = shell
    this.#order = order
    this.#signal = signal
  }

  /** Runs a script with the address of the database on its input, and returns the lines that it says. */
  async perform(
    act: string,
    script: string,
    args: readonly string[],
    content?: AsyncIterable<Uint8Array>,
  ): Promise<readonly string[]> {
    const input = addressAnd(this.#order.connection.variables, content)
    const result = await this.#shell.run(
      { script, args: [...this.#place, this.#order.container ?? '', ...args], input, deadlineMs: workMsMax },
      this.#signal,
    )
    if (result.exitCode !== 0) throw this.#refused(act, result)
    return result.stdout.split('\n')
  }

  async *pieces(size: number): AsyncIterable<Uint8Array> {
    for (let piece = 0; piece * pieceMiB * 1024 * 1024 < size; piece += 1) {
      const result = await this.#shell.run(
        { script: pieceScript, args: [...this.#place, '', String(piece), String(pieceMiB)], deadlineMs: callMsMax },
        this.#signal,
      )
      if (result.exitCode !== 0) throw this.#refused('Fetching the backup', result)
      yield Buffer.from(result.stdout, 'base64')
    }
  }

  /**
   * Also after an abort, which has its own signal for that; a host that is gone keeps the file until the next attempt. What was aborted may
   * still go on at the server, and in a container also as a process: its sessions are ended there.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const isAborted = this.#signal.aborted
    const call = isAborted
      ? {
          script: endScript,
          args: [...this.#place, this.#order.container ?? ''],
          input: addressAnd(this.#order.connection.variables, undefined),
          deadlineMs: endMsMax,
        }
      : { script: removeScript, args: this.#place, deadlineMs: callMsMax }
    await this.#shell.run(call, new AbortController().signal).catch(() => undefined)
    await this.#shell[Symbol.asyncDispose]()
  }

  get #place(): readonly [string, string] {
    return [this.#order.id, this.#order.attempt]
  }

  #refused(act: string, { exitCode, stderr }: ShellResult): Error {
    const { password } = this.#order.connection
    const text = password === undefined ? stderr : stderr.replaceAll(password, '***')
    const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('shipway-'))
    const said = lines.filter((line) => !line.startsWith('shipway:'))
    const own = lines.findLast((line) => line.startsWith('shipway:'))?.slice('shipway:'.length)
    const telling =
      said.find((line) => /error:|FATAL|ERROR|No space|not found|No such/.test(line)) ?? said.at(-1) ?? own
    return databaseRefused({
      host: this.#shell.host,
      act,
      evidence: (telling ?? `status ${exitCode}`).trim().replace(/\.$/, ''),
      details: lines.slice(-detailsMax),
    })
  }
}

async function* addressAnd(
  variables: Readonly<Record<string, string>>,
  content: AsyncIterable<Uint8Array> | undefined,
): AsyncIterable<Uint8Array> {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)
  yield Buffer.from(`${lines.join('')}\n`)
  if (content !== undefined) yield* content
}

function valuesOf(lines: readonly string[], word: string): readonly string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
}

function tablesOf(lines: readonly string[], word: string): readonly TableCount[] {
  return valuesOf(lines, word).map((text) => {
    const [schema, table, rows] = parseJson(text)
    return { table: `${String(schema)}.${String(table)}`, rows: Number(rows) }
  })
}

function parseJson(text: string): readonly unknown[] {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value : []
}

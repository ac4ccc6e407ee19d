import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { posixQuote } from '#adapters/host-shell/posix-quote.ts'

/**
 * A folder for the front of PATH whose `sh` runs the script that starts what a release brings (`service.up`), and kills it and the script that
 * has called it with SIGKILL right before one of its commands, when a test has asked for it. `bash` tells of every command before it runs it.
 */
export class CuttingService {
  /** For PATH. */
  readonly path: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'sh'), standIn(folder), { mode: 0o755 })
    this.path = `${folder}:${process.env['PATH'] ?? ''}`
  }

  /** The next start is killed before its command number `at`, counted from 1. */
  cutAt(at: number): void {
    rmSync(join(this.#folder, 'hit'), { force: true })
    writeFileSync(join(this.#folder, 'cut'), `${at}\n`)
  }

  /** Whether it has come to that since; the next start is not killed any more. */
  isHit(): boolean {
    rmSync(join(this.#folder, 'cut'), { force: true })
    return existsSync(join(this.#folder, 'hit'))
  }
}

function standIn(folder: string): string {
  const [cut, hit] = [posixQuote(join(folder, 'cut')), posixQuote(join(folder, 'hit'))]
  return `#!/bin/sh
case $1 in */service.up) ;; *) exec /bin/sh "$@" ;; esac
{ read -r at < ${cut}; } 2>/dev/null || exec /bin/sh "$@"
rm ${cut}
cut_at=$at exec bash -c ${posixQuote(counting(hit))} "$@"
`
}

/** The caller is found by the deployment that is an argument of it. */
function counting(hit: string): string {
  return `end_all() {
  trap - DEBUG
  unset IFS
  set +ef
  # Of a pipeline several come to it: a late one would kill what the next call has begun.
  (set -C; : > ${hit}) 2>/dev/null || kill -9 "$BASHPID"
  kill -9 $(grep -al "$SHIPWAY_DEPLOYMENT" /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3) 2>/dev/null
  kill -9 $$ "$BASHPID"
}
set -T
trap 'cut_count=$((\${cut_count-0} + 1)); [ $cut_count -lt $cut_at ] || end_all' DEBUG
. "$0"
`
}

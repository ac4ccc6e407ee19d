import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { posixQuote } from '#adapters/host-shell/posix-quote.ts'

/** Which commands of a script a cut may come before. `effects`: those that change something, or wait for it. Between two of them all cuts are one. */
export type Counted = 'commands' | 'effects'

/** Of the scripts that a release brings: what starts it, and what ends it. */
export type Part = 'up' | 'down'

/**
 * A folder for the front of PATH whose `sh` runs the scripts that a release brings (`service.up`, `service.down`), and kills one and the script that
 * has called it with SIGKILL right before one of its commands, when a test has asked for it. `bash` tells of every command before it runs it.
 */
export class CuttingService {
  /** For PATH. */
  readonly path: string
  readonly #folder: string

  constructor(folder: string, counted: Counted = 'commands') {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'sh'), standIn(folder, counted), { mode: 0o755 })
    this.path = `${folder}:${process.env['PATH'] ?? ''}`
  }

  /** The next start (or end) is killed before its command number `at`, counted from 1. */
  cutAt(at: number, part: Part = 'up'): void {
    for (const old of ['hit', 'count']) rmSync(join(this.#folder, old), { force: true })
    writeFileSync(join(this.#folder, `cut.${part}`), `${at}\n`)
  }

  /** Whether it has come to that since; the next start is not killed any more. */
  isHit(): boolean {
    for (const part of ['up', 'down']) rmSync(join(this.#folder, `cut.${part}`), { force: true })
    return existsSync(join(this.#folder, 'hit'))
  }
}

function standIn(folder: string, counted: Counted): string {
  const cut = posixQuote(join(folder, 'cut'))
  return `#!/bin/sh
case $1 in */service.up | */service.down) ;; *) exec /bin/sh "$@" ;; esac
cut=${cut}.\${1##*.}
{ read -r at < "$cut"; } 2>/dev/null || exec /bin/sh "$@"
rm "$cut"
cut_at=$at exec bash -c ${posixQuote(counting(folder, counted))} "$@"
`
}

/**
 * The caller is found by the deployment that is an argument of it. The count is a file: a subshell that counted for itself would use up the numbers of
 * what comes after it.
 */
function counting(folder: string, counted: Counted): string {
  const [hit, count] = ['hit', 'count'].map((name) => posixQuote(join(folder, name)))
  return `end_all() {
  trap - DEBUG
  unset IFS
  set +ef
  # Of a pipeline several come to it: a late one would kill what the next call has begun.
  (set -C; echo "$1" > ${hit}) 2>/dev/null || kill -9 "$BASHPID"
  kill -9 $(grep -al "$SHIPWAY_DEPLOYMENT" /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3) 2>/dev/null
  kill -9 $$ "$BASHPID"
}
count_cut() {
  ${counted === 'effects' ? isEffect : ''}
  { read -r cut_count < ${count}; } 2>/dev/null || cut_count=0
  cut_count=$((cut_count + 1))
  echo $cut_count >| ${count}
  [ $cut_count -lt $cut_at ] || end_all "$1"
}
set -T
trap 'count_cut "$BASH_COMMAND"' DEBUG
. "$0"
`
}

/** As \`bash\` prints commands: its own form of a redirection has a space behind the arrow. */
const isEffect = `case $1 in
    'docker ps'* | 'docker inspect'* | 'docker logs'* | 'docker image ls'* | 'docker image inspect'* | 'docker version'* | 'docker compose version'*) return 0 ;;
    'docker '* | 'exec $dialect'* | 'mv '* | 'ln '* | 'rm '* | 'sync '* | 'cp '* | 'mkdir '* | '"$@"' | wait_well* | *' > "$'*) ;;
    *) return 0 ;;
  esac`

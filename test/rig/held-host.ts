import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { until } from './deploy.ts'

/** Where a call of a driver to a host is held: nothing of it has happened yet, or all of it has and nobody knows. */
export type Side = 'before' | 'after'

/**
 * A folder for the front of PATH whose `sh` runs what drivers send to a host, and stands still at one call on one target when a test has
 * asked for it: a real process on the host, which lives and dies as any other. What it lets pass is written down.
 */
export class HeldCalls {
  /** For PATH, of this machine's processes or of a server's sessions. */
  readonly path: string

  /** `names`: what a script is called, by its text. Others are called `unknown` and pass. */
  constructor(folder: string, names: ReadonlyMap<string, string>) {
    const places = path.join(folder, 'names')
    mkdirSync(places, { recursive: true })
    for (const [script, name] of names) writeFileSync(path.join(places, checksum(script)), `${name}\n`)
    writeFileSync(path.join(folder, 'sh'), standIn, { mode: 0o755 })
    this.path = `${folder}:${process.env['PATH'] ?? ''}`
  }

  /** The next such call on a target stands still there. */
  hold(target: string, call: string, side: Side): void {
    writeFileSync(`${target}.hold`, `${side} ${call}\n`)
  }

  isHeld(target: string): boolean {
    return existsSync(`${target}.held`)
  }

  /** What stands still goes on, or ends as if the host had never heard of it. */
  async release(target: string, how: 'go on' | 'end'): Promise<void> {
    rmSync(`${target}.hold`, { force: true })
    if (!this.isHeld(target)) return
    if (how === 'end') writeFileSync(`${target}.end`, '')
    rmSync(`${target}.held`)
    if (how === 'end') await until('the held call has ended', () => !existsSync(`${target}.end`))
  }

  /** Calls that have begun or ended on a target since the last look, as `before switch`. */
  seen(target: string): readonly string[] {
    const file = `${target}.seen`
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    rmSync(file)
    appendFileSync(`${target}.history`, `${lines.join('\n')}\n`)
    return lines
  }
}

function checksum(text: string): string {
  return execFileSync('cksum', { input: text, encoding: 'utf8' }).split(' ')[0] ?? ''
}

const standIn = `#!/bin/sh
[ "$1" = -c ] && [ "$3" = shipway ] && [ -n "\${4-}" ] || exec /bin/sh "$@"
place=$4 name=unknown
sum=$(printf %s "$2" | cksum)
{ read -r name < "\${0%/*}/names/\${sum%% *}"; } 2>/dev/null || name=unknown
pass() {
  echo "$1 $name" >> "$place.seen"
  { read -r wanted < "$place.hold"; } 2>/dev/null || return 0
  [ "$wanted" = "$1 $name" ] || return 0
  mv "$place.hold" "$place.held" || return 0
  while [ -e "$place.held" ]; do sleep 0.05; done
  if [ -e "$place.end" ]; then rm "$place.end"; exit 1; fi
}
# A host with a network of its own: that of a process.
inside=''
{ read -r inside < "$place.enter"; } 2>/dev/null || :
if [ -n "$inside" ]; then inside="nsenter --net=/proc/$inside/ns/net"; fi
pass before
status=0
$inside /bin/sh "$@" || status=$?
pass after
exit $status
`

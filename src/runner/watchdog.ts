import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { watchdogFailed } from '#core/known/runner.ts'

/**
 * The whole watchdog. It reads one instruction per line; when the pipe closes, the runner is gone: with `kill -9` too.
 * Then it kills the groups of the steps that run, everything that carries the job's mark in its environment (a step that was
 * started but not yet announced, a process that left its group), removes the job's containers, and removes its folder.
 *
 * It also makes the named pipes that carry the output of steps, because Node has no call for that.
 */
const SCRIPT = `
trap '' HUP INT TERM PIPE
folder=$1
groups=
mark=
containers=
while read -r verb value; do
  case $verb in
    groups) groups=$value ;;
    mark) mark=$value ;;
    containers) containers=$value ;;
    pipes)
      mkdir -p -m 700 "$folder"
      if mkfifo -m 600 "$folder/out.$value" "$folder/err.$value"; then echo "made $value"; else echo "failed $value"; fi
      ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
if [ -n "$mark" ]; then
  for file in $(grep -lszxF "RUNNER_TRACKING_ID=$mark" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    kill -KILL "\${pid%/environ}" 2>/dev/null
  done
fi
if [ -n "$containers" ]; then
  made=$(docker ps --all --quiet --filter "label=shipway.job=$containers")
  if [ -n "$made" ]; then docker rm --force --volumes $made; fi
  made=$(docker network ls --quiet --filter "label=shipway.job=$containers")
  if [ -n "$made" ]; then docker network rm $made; fi
fi >/dev/null 2>&1
rm -f "$folder"/out.* "$folder"/err.*
rmdir "$folder"
`

/** Two named pipes for the output of one step. */
export interface PipePair {
  readonly out: string
  readonly err: string
}

/**
 * One tiny `sh` beside the runner, in a session of its own, for the runner's whole life. See `SCRIPT`. The runner tells
 * it what to kill; it must be told again whenever that changes, before and after each step.
 */
export class Watchdog implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #folder: string
  /** Pairs that nobody uses, the last one given back first. Mostly there is one, for one step after the other. */
  readonly #free: Promise<PipePair>[] = []
  readonly #groups = new Set<number>()
  #pairs = 0
  #failure: Error | undefined
  #isEnding = false

  private constructor(folder: string, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#folder = folder
    this.#child = child
  }

  /** Starts it; the first pipes are being made when this returns. It finds its tools on PATH, and the engine as `environment` says. */
  static start(environment: Readonly<Record<string, string>>): Watchdog {
    const folder = mkdtempSync(join(tmpdir(), 'shipway-runner-'))
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'shipway-watchdog', folder], {
      detached: true,
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const watchdog = new Watchdog(folder, child)
    const fail = (problem: string) => {
      if (!watchdog.#isEnding) watchdog.#failure = watchdogFailed({ problem })
    }
    child.on('error', (error) => fail(error.message))
    child.on('exit', (code, signal) => fail(`it ended by itself (${signal ?? `exit code ${code}`})`))
    child.stdin.on('error', (error) => fail(error.message))
    // Neither the helper nor its pipes keep the runner alive.
    child.unref()
    watchdog.#prepare()
    return watchdog
  }

  /** It has ended by itself, and guards nothing any more. */
  get isBroken(): boolean {
    return this.#failure !== undefined
  }

  /** A group to kill if the runner dies, until it is released: those of all steps that run. */
  guardGroup(group: number): void {
    this.#groups.add(group)
    this.#tellGroups()
  }

  /** The group has ended, or is not the watchdog's business any more. */
  releaseGroup(group: number): void {
    this.#groups.delete(group)
    this.#tellGroups()
  }

  /** The `RUNNER_TRACKING_ID` of the job whose processes to kill if the runner dies now. */
  guardMark(mark: string | undefined): void {
    this.#tell(`mark ${mark ?? ''}`)
  }

  /** The job whose containers to remove if the runner dies now; none while there are none. */
  guardContainers(mark: string | undefined): void {
    this.#tell(`containers ${mark ?? ''}`)
  }

  /** The pipes for a step that starts. The same pair serves step after step: it is given back, or left to what still holds it open. */
  async pipes(): Promise<PipePair> {
    if (this.#failure !== undefined) throw this.#failure
    const pair = await (this.#free.pop() ?? this.#makePipes())
    // Folders for temporary files are cleaned now and then, and a runner may live for weeks.
    return existsSync(pair.out) && existsSync(pair.err) ? pair : this.#makePipes()
  }

  /** The pair that `pipes` gave is not used any more. */
  givePipes(pair: PipePair): void {
    this.#free.push(Promise.resolve(pair))
  }

  /** Something still holds the pair open that `pipes` gave: it is not used again. */
  abandonPipes(): void {
    if (this.#free.length === 0) this.#prepare()
  }

  [Symbol.dispose](): void {
    this.#isEnding = true
    this.#groups.clear()
    this.#tellGroups()
    this.guardMark(undefined)
    this.guardContainers(undefined)
    this.#child.stdin.end()
    this.#child.stdout.destroy()
    // Its folder is its own business as long as it lives.
    if (this.isBroken) rmSync(this.#folder, { recursive: true, force: true })
  }

  #tellGroups(): void {
    this.#tell(`groups ${[...this.#groups].join(' ')}`)
  }

  /** Has pipes made before somebody asks for them. */
  #prepare(): void {
    const pair = this.#makePipes()
    pair.catch(() => {})
    this.#free.push(pair)
  }

  #tell(line: string): void {
    if (this.#failure === undefined) this.#child.stdin.write(`${line}\n`)
  }

  #makePipes(): Promise<PipePair> {
    const name = String((this.#pairs += 1))
    this.#tell(`pipes ${name}`)
    return new Promise((resolve, reject) => {
      const { stdout } = this.#child
      const settle = (act: () => void) => {
        stdout.off('data', onData).off('close', onClose)
        act()
      }
      const onData = (chunk: Buffer) => {
        const lines = chunk.toString().split('\n')
        if (lines.includes(`failed ${name}`)) return settle(() => reject(watchdogFailed({ problem: 'mkfifo failed' })))
        if (!lines.includes(`made ${name}`)) return
        settle(() => resolve({ out: join(this.#folder, `out.${name}`), err: join(this.#folder, `err.${name}`) }))
      }
      const onClose = () => settle(() => reject(this.#failure ?? watchdogFailed({ problem: 'it has ended' })))
      stdout.on('data', onData).on('close', onClose)
    })
  }
}

import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { watchdogFailed } from '#core/known/runner.ts'

/**
 * The whole watchdog. It reads one instruction per line; when the pipe closes, the runner is gone: with `kill -9` too.
 * Then it kills the group of the last step, everything that carries the job's mark in its environment (a step that was
 * started but not yet announced, a process that left its group), removes the job's containers, and removes its folder.
 *
 * It also makes the named pipes that carry the output of steps, because Node has no call for that.
 */
const SCRIPT = `
trap '' HUP INT TERM PIPE
folder=$1
group=
mark=
containers=
while read -r verb value; do
  case $verb in
    group) group=$value ;;
    mark) mark=$value ;;
    containers) containers=$value ;;
    pipes)
      mkdir -p -m 700 "$folder"
      if mkfifo -m 600 "$folder/out.$value" "$folder/err.$value"; then echo "made $value"; else echo "failed $value"; fi
      ;;
  esac
done
if [ -n "$group" ]; then kill -s KILL -- "-$group" 2>/dev/null; fi
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
  #pipes: Promise<PipePair> | undefined
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
    watchdog.abandonPipes()
    return watchdog
  }

  /** It has ended by itself, and guards nothing any more. */
  get isBroken(): boolean {
    return this.#failure !== undefined
  }

  /** The group to kill if the runner dies now; none while no step runs. */
  guardGroup(group: number | undefined): void {
    this.#tell(`group ${group ?? ''}`)
  }

  /** The `RUNNER_TRACKING_ID` of the job whose processes to kill if the runner dies now. */
  guardMark(mark: string | undefined): void {
    this.#tell(`mark ${mark ?? ''}`)
  }

  /** The job whose containers to remove if the runner dies now; none while there are none. */
  guardContainers(mark: string | undefined): void {
    this.#tell(`containers ${mark ?? ''}`)
  }

  /** The pipes for the next step. The same pair serves step after step. */
  async pipes(): Promise<PipePair> {
    if (this.#failure !== undefined) throw this.#failure
    this.#pipes ??= this.#makePipes()
    const pair = await this.#pipes
    // Folders for temporary files are cleaned now and then, and a runner may live for weeks.
    if (existsSync(pair.out) && existsSync(pair.err)) return pair
    this.abandonPipes()
    return this.#pipes
  }

  /** The next step gets new pipes, because something still holds the current ones open. */
  abandonPipes(): void {
    this.#pipes = this.#makePipes()
    this.#pipes.catch(() => {})
  }

  [Symbol.dispose](): void {
    this.#isEnding = true
    this.guardGroup(undefined)
    this.guardMark(undefined)
    this.guardContainers(undefined)
    this.#child.stdin.end()
    this.#child.stdout.destroy()
    // Its folder is its own business as long as it lives.
    if (this.isBroken) rmSync(this.#folder, { recursive: true, force: true })
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

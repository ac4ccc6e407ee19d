import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

/** An object as `git cat-file --batch` answers it. */
export interface GitAnswer {
  readonly oid: string
  readonly type: string
  readonly content: Buffer
}

/** Largest object that is read. Bytes. */
const objectBytesMax = 256 * 1024 * 1024
/** Time that one object may take. */
const answerDeadlineMs = 60_000
/** An idle `git` goes after this time: what it has open of a repository must not outlive a clean-up of it for long. */
const idleMs = 2_000

/**
 * One `git cat-file --batch` for many questions about one repository: starting git costs more than most of them. Answers come in
 * the order of the questions. It is started by the first question and again when it is gone.
 */
export class ObjectReader {
  readonly #repository: string
  #session: Session | undefined
  #idle: NodeJS.Timeout | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(repository: string) {
    this.#repository = repository
  }

  /** The objects with these names (`<sha>:<path>`, an oid); undefined for what is not there. Rejects with git's own words. */
  async read(names: readonly string[]): Promise<readonly (GitAnswer | undefined)[]> {
    const asked = names.filter(isOneLine)
    const answers = this.#last.then(async () => this.#read(asked))
    this.#last = answers.catch(() => undefined)
    const rest = (await answers).values()
    return names.map((name) => (isOneLine(name) ? rest.next().value : undefined))
  }

  async #read(names: readonly string[]): Promise<readonly (GitAnswer | undefined)[]> {
    clearTimeout(this.#idle)
    const kept = this.#session?.isOpen === true ? this.#session : undefined
    try {
      return await this.#ask(kept ?? new Session(this.#repository), names)
    } catch (error) {
      // One that was kept may have been ended by anybody since: that says nothing about the question.
      if (kept === undefined) throw error
      return this.#ask(new Session(this.#repository), names)
    }
  }

  async #ask(session: Session, names: readonly string[]): Promise<readonly (GitAnswer | undefined)[]> {
    this.#session = session
    session.hold()
    try {
      return await session.ask(names)
    } finally {
      session.letGo()
      this.#idle = setTimeout(() => session.end(), idleMs).unref()
    }
  }
}

/** A question is one line. A commit may hold a file whose name is two: asked for, it would shift every answer after it to another question. */
function isOneLine(name: string): boolean {
  return !name.includes('\n')
}

interface Question {
  readonly resolve: (answer: GitAnswer | undefined) => void
  readonly reject: (error: Error) => void
}

/** One process, from its start to its end. */
class Session {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting: Question[] = []
  #chunks: Buffer[] = []
  #size = 0
  /** Bytes of the answer that is being read: header, content and line end. Unknown before its header is there. */
  #wanted: number | undefined
  #lastWords = ''
  #failure: Error | undefined

  constructor(repository: string) {
    // Its own process group: Ctrl-C on the terminal is ours to act on. It ends when our end of the pipe closes, however we end.
    this.#child = spawn('git', ['-C', repository, 'cat-file', '--batch'], { detached: true, stdio: 'pipe' })
    this.#child.on('error', (error) => this.#fail(error))
    this.#child.on('close', () => this.#fail(new Error(this.#lastWords.trim() || 'git ended before it had answered')))
    this.#child.stdin.on('error', () => undefined)
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-2000)
    })
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  async ask(names: readonly string[]): Promise<readonly (GitAnswer | undefined)[]> {
    const deadline = setTimeout(
      () => this.#fail(new Error('git did not answer in time')),
      answerDeadlineMs * names.length,
    )
    try {
      const answers = names.map(async () => this.#next())
      this.#child.stdin.write(names.map((name) => `${name}\n`).join(''))
      return await Promise.all(answers)
    } finally {
      clearTimeout(deadline)
    }
  }

  /** Keeps our process alive while an answer is awaited, and only then. */
  hold(): void {
    for (const part of this.#parts()) part.ref()
  }

  letGo(): void {
    for (const part of this.#parts()) part.unref()
  }

  end(): void {
    this.#failure ??= new Error('git was told to end')
    this.#child.stdin.end()
  }

  #next(): Promise<GitAnswer | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#waiting.length > 0 && this.#size >= (this.#wanted ?? 1)) if (!this.#settle()) return
  }

  /** Gives the next answer to the one who waits for it; false while a part of it is missing. */
  #settle(): boolean {
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    const end = bytes.indexOf(0x0a)
    if (end < 0) return false
    const [, oid = '', type = '', length] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(bytes.toString('utf8', 0, end)) ?? []
    if (length === undefined) {
      this.#drop(end + 1)
      this.#waiting.shift()?.resolve(undefined)
      return true
    }
    if (Number(length) > objectBytesMax) {
      this.#fail(new Error(`the object ${oid} has ${length} bytes, more than the ${objectBytesMax} that are read`))
      return false
    }
    this.#wanted = end + 1 + Number(length) + 1
    if (this.#size < this.#wanted) return false
    const content = bytes.subarray(end + 1, this.#wanted - 1)
    this.#drop(this.#wanted)
    this.#waiting.shift()?.resolve({ oid, type, content })
    return true
  }

  #drop(length: number): void {
    const rest = (this.#chunks[0] ?? Buffer.alloc(0)).subarray(length)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#size = rest.length
    this.#wanted = undefined
  }

  #parts(): readonly { ref(): unknown; unref(): unknown }[] {
    const { stdin, stdout, stderr } = this.#child
    return [this.#child, ...([stdin, stdout, stderr] as unknown as readonly Socket[])]
  }
}

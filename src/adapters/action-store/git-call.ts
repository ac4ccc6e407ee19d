import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Time that one git process may take. Milliseconds. */
const deadlineMs = 300_000
/** Bytes of an answer that is read as a whole. */
const answerBytesMax = 64 * 1024 * 1024
/** Bytes that a fetch may add to a repository: several times the largest action that anybody publishes. */
export const fetchBytesMax = 1024 * 1024 * 1024
/** How often the growth of a repository is looked at while it is fetched. Milliseconds. */
const growthEveryMs = 250

/**
 * What git may not do for us: run hooks or monitors, collect garbage while another process reads, follow submodules, or talk to anything but the
 * transports that people name (`ext::` runs any program). What comes over the wire is checked.
 */
const hardened: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.autocrlf=false',
  'core.safecrlf=false',
  'core.attributesFile=/dev/null',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'fetch.fsckObjects=true',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'protocol.allow=never',
  ...['https', 'http', 'ssh', 'git', 'file'].map((name) => `protocol.${name}.allow=always`),
]

export interface GitCall {
  /** Folder of the bare repository. */
  readonly gitDir: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Text for its standard input. */
  readonly input?: string
  /** It writes from a network: ends when the repository has grown too much. */
  readonly isFetch?: boolean
  readonly signal?: AbortSignal
}

export type GitAnswer =
  | { readonly kind: 'done'; readonly output: Buffer }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'too-large' }

/** Runs one git process to its end and never rejects for what git says. */
export async function callGit(call: GitCall): Promise<GitAnswer> {
  const { promise, resolve } = Promise.withResolvers<GitAnswer>()
  const child = startGit(call)
  const chunks: Buffer[] = []
  let bytes = 0
  let words = ''
  let ending: GitAnswer | undefined
  const end = (answer: GitAnswer): void => {
    ending ??= answer
    killGroup(child.pid)
  }
  const late = setTimeout(
    () => end({ kind: 'failed', problem: `git took longer than ${deadlineMs / 1000} s` }),
    deadlineMs,
  )
  const watch = call.isFetch === true ? watchGrowth(call.gitDir, () => end({ kind: 'too-large' })) : undefined
  const onAbort = (): void => end({ kind: 'failed', problem: 'it was stopped' })
  call.signal?.addEventListener('abort', onAbort)
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > answerBytesMax) end({ kind: 'too-large' })
    else chunks.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4000)))
  child.stdin.on('error', () => undefined)
  child.stdin.end(call.input ?? '')
  child.once('error', (error) => resolve({ kind: 'failed', problem: error.message }))
  child.once('close', (code) => {
    const said = words.trim()
    const failed = { kind: 'failed', problem: said === '' ? `git ended with ${code}` : said } as const
    resolve(ending ?? (code === 0 ? { kind: 'done', output: Buffer.concat(chunks) } : failed))
  })
  const answer = await promise
  clearTimeout(late)
  clearInterval(watch)
  call.signal?.removeEventListener('abort', onAbort)
  return answer
}

/** Starts git with its own process group, so that its helpers end with it. */
export function startGit({ gitDir, args, env }: GitCall): ReturnType<typeof spawnGit> {
  return spawnGit(['--git-dir', gitDir, ...hardened.flatMap((pair) => ['-c', pair]), ...args], env ?? {})
}

function spawnGit(args: readonly string[], env: Readonly<Record<string, string>>) {
  return spawn('git', args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
    env: { ...environment(), ...env },
  })
}

/** The user's environment (proxies, ssh agents, credentials) without what points git at another repository, and without questions. */
function environment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    const isOwn = name.startsWith('GIT_') && !['GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_SSL_CAINFO'].includes(name)
    if (value !== undefined && !isOwn) env[name] = value
  }
  return {
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10',
    ...env,
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    LC_ALL: 'C',
  }
}

/** For work inside the repository: nothing of the user's settings may change what is written. */
export const ownSettingsOnly: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
}

function watchGrowth(gitDir: string, onTooLarge: () => void): NodeJS.Timeout {
  const before = packBytes(gitDir)
  return setInterval(() => {
    if (packBytes(gitDir) - before > fetchBytesMax) onTooLarge()
  }, growthEveryMs)
}

function packBytes(gitDir: string): number {
  const folder = join(gitDir, 'objects', 'pack')
  try {
    return readdirSync(folder).reduce(
      (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    )
  } catch {
    return 0
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Check } from './check.ts'
import { fail, ok, warn } from './check.ts'

const run = promisify(execFile)

/** Time that a program may take to say its version. Milliseconds. */
const versionDeadlineMs = 10_000
const nodeMajorMin = 24
/** First git with `worktree list -z`, `--no-optional-locks` and safe `cat-file --batch` as we use them. */
const gitVersionMin = [2, 20] as const
/** Watches that a busy home needs: the inbox and the tools that people run beside it. */
const inotifyWatchesMin = 8192

/** What is installed on this machine. */
export async function checkMachine(): Promise<readonly Check[]> {
  return [checkNode(process.version), await checkGit(), await checkSsh(), await checkInotify()]
}

export function checkNode(version: string): Check {
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0)
  if (major >= nodeMajorMin) return ok('node', version)
  return fail(
    'node',
    version,
    `Shipway needs Node ${nodeMajorMin} or newer: start it through its own launcher, which brings one.`,
  )
}

async function checkGit(): Promise<Check> {
  const version = await versionOf('git', ['--version'])
  if (version === undefined)
    return fail(
      'git',
      'not on PATH',
      "Install it with the system's package manager, for example `apt-get install git`.",
    )
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
  const isNew = major > gitVersionMin[0] || (major === gitVersionMin[0] && minor >= gitVersionMin[1])
  return isNew
    ? ok('git', version.replace(/^git version /, ''))
    : warn('git', version, `Install git ${gitVersionMin.join('.')} or newer.`)
}

async function checkSsh(): Promise<Check> {
  const version = await versionOf('ssh', ['-V'])
  if (version === undefined)
    return warn('ssh', 'not on PATH', 'Targets on other hosts need it: `apt-get install openssh-client`.')
  return ok('ssh', version)
}

async function checkInotify(): Promise<Check> {
  const text = await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => undefined)
  if (text === undefined) return ok('file watches', 'no inotify on this system; the inbox is looked at regularly')
  const watches = Number(text)
  if (watches >= inotifyWatchesMin) return ok('file watches', String(watches))
  return warn(
    'file watches',
    `${watches}, few`,
    `\`sysctl fs.inotify.max_user_watches=65536\` as root; without watches the inbox is looked at regularly.`,
  )
}

/** First line that a program says about its version; undefined when it cannot be started. */
async function versionOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, [...args], { timeout: versionDeadlineMs })
    return (stdout.trim() || stderr.trim()).split('\n')[0] ?? ''
  } catch {
    return undefined
  }
}

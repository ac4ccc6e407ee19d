import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { fileUnreadable, flagInvalid, secretNotInEnvironment } from '#core/known/cli.ts'
import { checkSecretLimits } from '#core/ticket/limits.ts'
import { fileProblem } from './file-problem.ts'
import type { Session } from './session.ts'

/** Largest file with secrets that is read. Bytes. */
const secretFileBytesMax = 1024 * 1024

/**
 * Values from `--secret-file` and `--secret`, the flags winning. `--secret NAME` takes the value from the environment; `NAME=value` works, and
 * is warned about, because every process of the machine can read the arguments of every other.
 */
export async function readSecrets(
  session: Session,
  flags: { readonly secret?: readonly string[]; readonly secretFile?: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const values = new Map<string, string>()
  for (const path of flags.secretFile ?? [])
    for (const [name, value] of await readSecretFile(session, path)) values.set(name, value)
  const inArguments: string[] = []
  for (const flag of flags.secret ?? []) {
    const at = flag.indexOf('=')
    const name = at === -1 ? flag : flag.slice(0, at)
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw flagInvalid({
        flag: '--secret',
        value: name,
        expected: 'NAME or NAME=VALUE, NAME of letters, digits and _',
      })
    if (at !== -1) inArguments.push(name)
    const value = at === -1 ? session.world.env[name] : flag.slice(at + 1)
    if (value === undefined) throw secretNotInEnvironment({ name })
    values.set(name, value)
  }
  if (inArguments.length > 0) {
    session.warn(
      `${inArguments.join(', ')}: other users of this machine can read values in arguments; use --secret NAME or --secret-file FILE.`,
    )
  }
  const secrets = Object.fromEntries(values)
  checkSecretLimits(secrets)
  return secrets
}

async function readSecretFile(session: Session, path: string): Promise<readonly (readonly [string, string])[]> {
  const file = resolve(session.directory, path)
  try {
    const facts = await stat(file)
    if (facts.size > secretFileBytesMax)
      throw fileUnreadable({ flag: '--secret-file', path, problem: `it is larger than ${secretFileBytesMax} bytes` })
    if ((facts.mode & 0o077) !== 0)
      session.warn(`${path} can be read by other users of this machine; \`chmod 600 ${path}\` mends it.`)
    const values = parseEnv(await readFile(file, 'utf8'))
    return Object.entries(values).map(([name, value]) => [name, value ?? ''])
  } catch (error) {
    const problem = fileProblem(error)
    if (problem !== undefined) throw fileUnreadable({ flag: '--secret-file', path, problem, cause: error })
    throw error
  }
}

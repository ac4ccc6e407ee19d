import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { identityUnusable } from '#core/known/identity.ts'
import { ticketNamespace } from '#core/ticket/signature.ts'
import type { TicketSignature } from '#core/ticket/signature.ts'
import type { SignTicket } from '#ports/ticket-seal.ts'
import { callProgram } from './ssh-call.ts'

/** Where a key is: a file (private, or the public half of one in ssh-agent), or the text of a public key in ssh-agent. */
type Key = { readonly kind: 'file'; readonly file: string } | { readonly kind: 'public'; readonly text: string }

/**
 * Signs with the key that `SHIPWAY_IDENTITY` names (a file, `agent`, or `none`), else with the one that git signs commits with. ssh-agent is not
 * asked of itself: many agents ask a person for each signature, and nobody has said that requests are to be signed.
 */
export function ticketSigner(world: { readonly env: NodeJS.ProcessEnv; readonly cwd: string }): SignTicket {
  return async (signed) => {
    const identity = world.env['SHIPWAY_IDENTITY'] ?? ''
    if (identity === 'none') return undefined
    const key = identity === '' ? await gitKey(world) : await namedKey(world, identity)
    if (key === undefined) return undefined
    const signature = await sign(world, key, signed)
    if (typeof signature !== 'string') return signature
    if (identity !== '') throw identityUnusable({ identity, why: signature })
    return undefined
  }
}

async function namedKey(
  world: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  identity: string,
): Promise<Key> {
  if (identity !== 'agent') return { kind: 'file', file: path.resolve(world.cwd, identity) }
  const { status, stdout } = await callProgram('ssh-add', ['-L'], { env: world.env })
  const text = stdout.split('\n').find((line) => /^(?:ssh|ecdsa|sk)-\S+ /.test(line))
  if (status !== 0 || text === undefined)
    throw identityUnusable({ identity, why: 'ssh-agent does not answer, or has no key' })
  return { kind: 'public', text }
}

async function gitKey(world: { readonly env: NodeJS.ProcessEnv; readonly cwd: string }): Promise<Key | undefined> {
  const args = ['config', '--get-regexp', '^(gpg[.]format|user[.]signingkey)$']
  const { stdout } = await callProgram('git', args, { env: world.env, cwd: world.cwd })
  const values = new Map(
    stdout.split('\n').map((line): [string, string] => {
      const [name = '', ...rest] = line.split(' ')
      return [name, rest.join(' ')]
    }),
  )
  const key = values.get('user.signingkey') ?? ''
  if (values.get('gpg.format') !== 'ssh' || key === '') return undefined
  const text = key.replace(/^key::/, '')
  if (/^(?:ssh|ecdsa|sk)-\S+ /.test(text)) return { kind: 'public', text }
  return { kind: 'file', file: path.resolve(world.cwd, key.replace(/^~(?=\/)/, world.env['HOME'] ?? '~')) }
}

/** The signature, or why there is none. */
async function sign(
  { env }: { readonly env: NodeJS.ProcessEnv },
  key: Key,
  signed: string,
): Promise<TicketSignature | string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shipway-key-'))
  try {
    const file = key.kind === 'file' ? key.file : path.join(folder, 'key.pub')
    if (key.kind === 'public') await writeFile(file, `${key.text}\n`)
    const end = await callProgram('ssh-keygen', ['-Y', 'sign', '-q', '-n', ticketNamespace, '-f', file], {
      env,
      input: signed,
    })
    if (end.status !== 0 || !end.stdout.startsWith('-----BEGIN SSH SIGNATURE-----'))
      return end.stderr.trim().split('\n').at(-1) ?? 'ssh-keygen says nothing'
    const { stdout } = await callProgram('ssh-keygen', ['-l', '-f', file], { env })
    return { keyid: /SHA256:\S+/.exec(stdout)?.[0] ?? '', sig: end.stdout }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkTicketSignature } from './check-signature.ts'
import { ticketSigner } from './sign-ticket.ts'

interface Keys {
  readonly folder: string
  readonly file: string
  readonly publicKey: string
  readonly fingerprint: string
  readonly env: NodeJS.ProcessEnv
}

function newKey(passphrase = ''): Keys {
  const folder = mkdtempSync(path.join(tmpdir(), 'shipway-identity-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'ann', '-f', file])
  const listed = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' })
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: folder, GIT_CONFIG_NOSYSTEM: '1' }
  return {
    folder,
    file,
    publicKey: readFileSync(`${file}.pub`, 'utf8').trim(),
    fingerprint: /SHA256:\S+/.exec(listed)?.[0] ?? '',
    env,
  }
}

describe('a request', () => {
  test('is signed with the key that SHIPWAY_IDENTITY names, and the signature says whose it is', async () => {
    const { file, folder, env, fingerprint } = newKey()
    const sign = ticketSigner({ env: { ...env, SHIPWAY_IDENTITY: file }, cwd: folder })

    const signature = await sign('deploy it')

    expect(signature).toMatchObject({ keyid: fingerprint })
    if (signature === undefined) return
    expect(await checkTicketSignature('deploy it', signature, undefined)).toEqual({ fingerprint })
    const changed = checkTicketSignature('deploy that', signature, undefined)
    await expect(changed).rejects.toMatchObject({ code: 'TICKET_SIGNATURE_INVALID' })
    const forged = { ...signature, keyid: 'SHA256:somebody-else' }
    expect(await checkTicketSignature('deploy it', forged, undefined)).toEqual({ fingerprint })
  })

  test('is signed with the key of git, as a file and as a text, and with none that SHIPWAY_IDENTITY forbids', async () => {
    const { file, folder, env, fingerprint } = newKey()
    const config = (key: string) =>
      writeFileSync(path.join(folder, '.gitconfig'), `[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = ${key}\n`)
    config(`${file}.pub`)
    const world = { env, cwd: folder }
    expect(await ticketSigner(world)('x')).toMatchObject({ keyid: fingerprint })
    expect(await ticketSigner({ ...world, env: { ...env, SHIPWAY_IDENTITY: 'none' } })('x')).toBeUndefined()
    writeFileSync(path.join(folder, '.gitconfig'), `[user]\n\tsigningkey = ${file}\n`)
    expect(await ticketSigner(world)('x')).toBeUndefined()
  })

  test('is not signed by a key that asks for a passphrase: of git it is left out, a named one is an error', async () => {
    const { file, folder, env } = newKey('a secret phrase')
    writeFileSync(path.join(folder, '.gitconfig'), `[gpg]\n\tformat = ssh\n[user]\n\tsigningkey = ${file}\n`)
    expect(await ticketSigner({ env, cwd: folder })('x')).toBeUndefined()
    const named = ticketSigner({ env: { ...env, SHIPWAY_IDENTITY: file }, cwd: folder })('x')
    await expect(named).rejects.toMatchObject({ code: 'IDENTITY_UNUSABLE' })
    const agent = ticketSigner({ env: { ...env, SHIPWAY_IDENTITY: 'agent' }, cwd: folder })('x')
    await expect(agent).rejects.toMatchObject({ code: 'IDENTITY_UNUSABLE' })
  })

  test('is signed by the first key of ssh-agent when that is asked for', async () => {
    const { file, folder, env, fingerprint } = newKey()
    const started = execFileSync('ssh-agent', ['-s', '-a', path.join(folder, 'agent')], { encoding: 'utf8' })
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1])
    onTestFinished(() => void process.kill(pid))
    const withAgent = { ...env, SSH_AUTH_SOCK: path.join(folder, 'agent') }
    execFileSync('ssh-add', ['-q', file], { env: withAgent })

    const sign = ticketSigner({ env: { ...withAgent, SHIPWAY_IDENTITY: 'agent' }, cwd: folder })
    expect(await sign('x')).toMatchObject({ keyid: fingerprint })
    expect(await ticketSigner({ env: withAgent, cwd: folder })('x')).toBeUndefined()
  })

  test('of a key that the home does not list is refused, of a listed one it has the name there', async () => {
    const [ann, eve] = [newKey(), newKey()]
    const file = path.join(ann.folder, 'allowed_signers')
    writeFileSync(file, `ann@example.org namespaces="ticket@shipway" ${ann.publicKey}\n`)
    const signed = async ({ env, file: identity, folder }: Keys) =>
      (await ticketSigner({ env: { ...env, SHIPWAY_IDENTITY: identity }, cwd: folder })('x')) ?? { keyid: '', sig: '' }

    expect(await checkTicketSignature('x', await signed(ann), file)).toEqual({
      fingerprint: ann.fingerprint,
      principal: 'ann@example.org',
    })
    const stranger = checkTicketSignature('x', await signed(eve), file)
    await expect(stranger).rejects.toMatchObject({ code: 'TICKET_SIGNER_UNKNOWN' })
    writeFileSync(file, `ann@example.org namespaces="git" ${ann.publicKey}\n`)
    const otherwise = checkTicketSignature('x', await signed(ann), file)
    await expect(otherwise).rejects.toMatchObject({ code: 'TICKET_SIGNER_UNKNOWN' })
  })
})

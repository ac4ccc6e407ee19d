import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ticketSignatureInvalid, ticketSignerUnknown } from '#core/known/identity.ts'
import { ticketNamespace } from '#core/ticket/signature.ts'
import type { CheckTicketSignature } from '#ports/ticket-seal.ts'
import { callProgram } from './ssh-call.ts'

/** Checks with `ssh-keygen -Y`, as any operator can by hand. */
export const checkTicketSignature: CheckTicketSignature = async (signed, { sig }, allowedSigners) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shipway-sig-'))
  const { env } = process
  try {
    const file = path.join(folder, 'ticket.sig')
    await writeFile(file, sig)
    const common = ['-n', ticketNamespace, '-s', file]
    const good = await callProgram('ssh-keygen', ['-Y', 'check-novalidate', ...common], { env, input: signed })
    const fingerprint = /SHA256:\S+/.exec(good.stdout)?.[0]
    if (good.status !== 0 || fingerprint === undefined)
      throw ticketSignatureInvalid({ why: good.stderr.trim().split('\n').at(-1) ?? 'ssh-keygen does not take it' })
    if (allowedSigners === undefined) return { fingerprint }
    const found = await callProgram('ssh-keygen', ['-Y', 'find-principals', '-s', file, '-f', allowedSigners], { env })
    const principal = found.stdout.split('\n')[0]?.trim() ?? ''
    if (found.status !== 0 || principal === '') throw ticketSignerUnknown({ fingerprint, file: allowedSigners })
    const args = ['-Y', 'verify', '-f', allowedSigners, '-I', principal, ...common]
    const verified = await callProgram('ssh-keygen', args, { env, input: signed })
    if (verified.status !== 0) throw ticketSignerUnknown({ fingerprint, file: allowedSigners })
    return { fingerprint, principal }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

import { createHash } from 'node:crypto'
import { releaseId } from '#core/release/assemble.ts'
import { shortVersion } from '#core/view/name.ts'
import { renderSize } from '#core/view/size.ts'
import { readFilledHome } from '../open-home.ts'
import { listAttestations } from '#store/attestation.ts'
import type { Session } from '../session.ts'
import { findManifest } from './find-release.ts'
import { readStatement } from './read-statement.ts'

/** `release verify R`: does the manifest give the id, and is every content there, byte for byte? */
export async function verify(session: Session, wanted: string, flags: { readonly app?: string }): Promise<number> {
  const { id, manifest, attestations } = await readFilledHome(session, async (q) => {
    const found = await findManifest(session, q, wanted, flags.app)
    return { ...found, attestations: await listAttestations(q, found.id) }
  })
  const blobs = await session.services.blobs(session.home)
  const problems: { path: string; problem: string }[] = []
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  if (releaseId(manifest, sha256) !== id) problems.push({ path: '(manifest)', problem: 'gives another id' })
  const stated = attestations.map((one) => ({ digest: one.digest, ...readStatement(one, { id, manifest, sha256 }) }))
  for (const one of stated)
    if (one.problem !== undefined)
      problems.push({ path: `attestation ${one.digest.slice(0, 12)}`, problem: one.problem })
  const states = new Map<string, 'sound' | 'missing' | 'damaged'>()
  for (const { path, digest } of manifest.files) {
    const state = states.get(digest) ?? (await blobs.verify(digest))
    states.set(digest, state)
    if (state !== 'sound') problems.push({ path, problem: state })
  }
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0)
  if (session.isJson) {
    const files = manifest.files.length
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleaseVerification',
      id,
      isSound: problems.length === 0,
      files,
      bytes,
      attestations: stated,
      problems,
    })
  } else {
    const what = `${shortVersion(manifest.version)}: ${manifest.files.length} ${manifest.files.length === 1 ? 'file' : 'files'}, ${renderSize(bytes)}`
    session.print(
      problems.length === 0
        ? `${what}, all as they were sealed`
        : `${what}, ${problems.length} not as they were sealed`,
    )
    for (const { text } of stated) if (text !== undefined) session.print(`  ${text}`)
    for (const { path, problem } of problems) session.print(`  ✗ ${path}: ${problem}`)
  }
  return problems.length === 0 ? 0 : 1
}

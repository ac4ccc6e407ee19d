import type { Attestation } from '#core/release/attestation.ts'
import type { Query } from '#ports/sql-driver.ts'

/** Keeps what is stated about a release. A second time it changes nothing. */
export async function saveAttestation(q: Query, release: string, { digest, envelope }: Attestation): Promise<void> {
  await q(
    `insert into attestation (release, digest, envelope, at) values ($1, $2, $3, {now})
     on conflict (release, digest) do nothing`,
    [release, digest, envelope],
  )
}

/** All that is stated about a release, oldest first. */
export async function listAttestations(q: Query, release: string): Promise<readonly Attestation[]> {
  return q<{ digest: string; envelope: string }>(
    'select digest, envelope from attestation where release = $1 order by at, digest',
    [release],
  )
}

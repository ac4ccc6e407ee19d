import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openAttestation, sealAttestation } from './attestation.ts'
import type { ReleaseManifest } from './model.ts'
import { provenanceStatement } from './provenance.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const id = sha256('the release')
const image = `r.example.org/shop/backend@sha256:${'1'.repeat(64)}`
const manifest: ReleaseManifest = {
  schema: 'shipway.release/1',
  application: 'shop',
  version: 'v1.0.0',
  source: { sha: 'b'.repeat(40), ref: 'refs/tags/v1.0.0', dirty: false },
  files: [],
  images: { backend: image },
  environments: {},
  evidence: [{ job: 'test', conclusion: 'success' }],
}
const statement = provenanceStatement(id, manifest, {
  kind: 'workflow',
  repository: 'acme/shop',
  invocation: 'run_1',
  by: 'ann',
  event: 'push',
  inputs: [],
  workflows: [{ file: '.github/workflows/ci.yml', digest: sha256('ci') }],
  actions: [{ uses: 'acme/tool@v1', sha: 'c'.repeat(40) }],
  startedAt: 0,
  finishedAt: 1000,
  program: '1.2.3',
})

describe('what is stated about a release', () => {
  test('is provenance as SLSA has it: release and images, what they were made from, by whom and when', () => {
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'shop@v1.0.0', digest: { sha256: id } },
        { name: 'r.example.org/shop/backend', digest: { sha256: '1'.repeat(64) } },
      ],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'urn:shipway:build:workflow:1',
          externalParameters: {
            repository: 'acme/shop',
            ref: 'refs/tags/v1.0.0',
            workflow: '.github/workflows/ci.yml',
            event: 'push',
            inputs: [],
          },
          internalParameters: { requestedBy: 'ann', hasUncommittedChanges: false },
          resolvedDependencies: [
            { uri: 'git+acme/shop@refs/tags/v1.0.0', digest: { gitCommit: 'b'.repeat(40) } },
            { uri: '.github/workflows/ci.yml', digest: { sha256: sha256('ci') } },
            { uri: 'git+acme/tool@v1', digest: { gitCommit: 'c'.repeat(40) } },
          ],
        },
        runDetails: {
          builder: { id: 'urn:shipway:agent', version: { shipway: '1.2.3' } },
          metadata: {
            invocationId: 'run_1',
            startedOn: '1970-01-01T00:00:00.000Z',
            finishedOn: '1970-01-01T00:00:01.000Z',
          },
          byproducts: [{ name: 'test', annotations: { conclusion: 'success' } }],
        },
      },
    })
  })

  test('is in a DSSE envelope that is read again, for this release only', () => {
    const { envelope, digest } = sealAttestation(statement, sha256)
    expect(digest).toBe(sha256(envelope))
    expect(JSON.parse(envelope)).toMatchObject({ payloadType: 'application/vnd.in-toto+json', signatures: [] })
    expect(openAttestation(envelope, id)).toEqual({
      predicateType: statement['predicateType'],
      predicate: statement['predicate'],
      signatures: 0,
    })
    expect(openAttestation(envelope, sha256('another'))).toBe('it is about something else')
    expect(openAttestation(envelope.replace('in-toto', 'other'), id)).toContain('no envelope')
    expect(openAttestation('{}', id)).toContain('no envelope')
  })

  test('never makes the reader throw, whatever the envelope holds', () => {
    const payload = fc.json().map((text) => Buffer.from(text).toString('base64'))
    const envelope = payload.map((text) =>
      JSON.stringify({ payloadType: 'application/vnd.in-toto+json', payload: text }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), envelope), (text) => {
        expect(typeof openAttestation(text, id)).toBe('string')
      }),
    )
  })
})

/**
 * `GITHUB_ARTIFACTS`: a step names what it has made, one per line: a file, by a path or as `file://path`, or an image in a registry, as
 * `name@sha256:…` or `oci://name@sha256:…` (actions-semantics 79). Empty lines and those that begin with # say nothing.
 */
export type DeclaredArtifact =
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'oci'; readonly name: string; readonly digest: string; readonly line: number }

/** An artifact with its digest, as `GITHUB_ARTIFACTS_LIST` tells it to later steps. */
export interface ArtifactSubject {
  readonly name: string
  /** `sha256:` and the digits, or another algorithm of an image. */
  readonly digest: string
  readonly kind: 'file' | 'oci'
}

/** What one job may declare. */
export const artifactSubjectsMax = 500

type Reading<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'invalid'; readonly reason: string }

/** Reads the lines of the file; the first one that says nothing we know makes all of it invalid. */
export function parseArtifactFile(text: string): Reading<readonly DeclaredArtifact[]> {
  const declared: DeclaredArtifact[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const entry = raw.trim()
    if (entry === '' || entry.startsWith('#')) continue
    const read = parseEntry(entry, index + 1)
    if (read.kind === 'invalid') return invalidLine(index + 1, read.reason)
    declared.push(read.value)
  }
  return { kind: 'read', value: declared }
}

/** The subjects of a job with those of one more step: the same twice is one, the same name with two digests is a mistake. */
export function addSubjects(
  known: ReadonlyMap<string, ArtifactSubject>,
  added: readonly (ArtifactSubject & { readonly line: number })[],
): Reading<ReadonlyMap<string, ArtifactSubject>> {
  const all = new Map(known)
  for (const { line, ...subject } of added) {
    const before = all.get(subject.name)
    if (before !== undefined && before.digest !== subject.digest) {
      return invalidLine(
        line,
        `"${subject.name}" was declared before with the digest ${before.digest}, now with ${subject.digest}`,
      )
    }
    if (before === undefined && all.size >= artifactSubjectsMax) {
      return invalidLine(line, `a job declares ${artifactSubjectsMax} artifacts at most`)
    }
    all.set(subject.name, before ?? subject)
  }
  return { kind: 'read', value: all }
}

/** The text of `GITHUB_ARTIFACTS_LIST`, sorted by name. */
export function renderSubjects(subjects: ReadonlyMap<string, ArtifactSubject>): string {
  const sorted = [...subjects.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return JSON.stringify({ version: 1, subjects: sorted.map(({ name, digest, kind }) => ({ name, digest, kind })) })
}

/** Why a line cannot be used, with its place. */
export function invalidLine(line: number, reason: string): { readonly kind: 'invalid'; readonly reason: string } {
  return { kind: 'invalid', reason: `line ${line}: ${reason}` }
}

function parseEntry(entry: string, line: number): Reading<DeclaredArtifact> {
  if (entry.includes('=')) return { kind: 'invalid', reason: 'entries with "=" are reserved' }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(entry)
  const rest = entry.slice(scheme?.[0].length ?? 0)
  switch (scheme?.[1]?.toLowerCase()) {
    case 'file':
      return rest === '' ? { kind: 'invalid', reason: 'file:// needs a path' } : file(rest, line)
    case 'oci':
      return (
        parseImage(rest, line) ?? {
          kind: 'invalid',
          reason: 'oci:// needs a reference with @sha256:, @sha384: or @sha512: and its digits',
        }
      )
    case undefined:
      return parseImage(entry, line) ?? file(entry, line)
    default:
      return { kind: 'invalid', reason: `the scheme ${scheme?.[0]} is not known` }
  }
}

function file(path: string, line: number): Reading<DeclaredArtifact> {
  return { kind: 'read', value: { kind: 'file', path, line } }
}

const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** Undefined for what is no reference with a whole digest: it may be the name of a file. */
function parseImage(text: string, line: number): Reading<DeclaredArtifact> | undefined {
  const [, name = '', algorithm = '', digits = ''] = /^(.+)@(sha(?:256|384|512)):([0-9a-fA-F]+)$/.exec(text) ?? []
  if (digits.length === 0 || digits.length !== digestLengths[algorithm]) return undefined
  return { kind: 'read', value: { kind: 'oci', name, digest: `${algorithm}:${digits.toLowerCase()}`, line } }
}

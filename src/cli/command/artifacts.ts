import { resolve } from 'node:path'
import { artifactUnknown, runOfArtifactsUnknown } from '#core/known/artifact.ts'
import type { JsonObject } from '#core/json.ts'
import { nearestName } from '#core/project/nearest.ts'
import { shortDigest } from '#core/view/name.ts'
import { renderSize } from '#core/view/size.ts'
import { bringOut } from '../artifact/bring-out.ts'
import { readArtifacts } from '../artifact/read-artifacts.ts'
import type { KeptArtifact } from '../artifact/read-artifacts.ts'
import type { CommandPage } from '../command.ts'
import { findSubject, readFilledHome } from '../open-home.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'

interface Flags {
  readonly app?: string
  readonly to?: string
  readonly force?: boolean
}

export const page: CommandPage = {
  description:
    'Lists what the jobs of a run have uploaded with actions/upload-artifact, or writes one artifact, or with --to alone all of them, into a folder. Each file is compared with its digest and keeps its mode; a file that is there is only replaced with --force. "latest" is in a repository the newest run of its application, elsewhere of the whole state home.',
  examples: [
    { command: 'shipway artifacts', purpose: 'what the latest run has left' },
    { command: 'shipway artifacts latest dist', purpose: 'the artifact "dist" into the folder ./dist' },
    { command: 'shipway artifacts 12 dist --to /tmp/out', purpose: 'that of run #12 into a folder' },
    {
      command: 'shipway artifacts latest --to out',
      purpose: 'all of them, each into a folder of its name below ./out',
    },
  ],
  exits: [0, 1, 2],
  define: (command, act) => {
    command
      .argument('[run]', 'id, first characters of an id, number or "latest"', 'latest')
      .argument('[artifact]', 'name of an artifact, to write it into a folder')
      .option('--to <dir>', 'folder that its files are written into (default: one with the name of the artifact)')
      .option('--force', 'replace files that are there')
      .option('--app <name>', 'application whose run has the number')
      .action(act(artifacts))
  },
}

async function artifacts(session: Session, wanted: string, name: string | undefined, flags: Flags): Promise<number> {
  const subject = await readFilledHome(session, async (q) => findSubject(session, q, wanted, flags.app))
  if (subject.kind !== 'run') throw runOfArtifactsUnknown({ subject: subject.id })
  const kept = await readArtifacts(session.home, subject.id)
  if (name === undefined && flags.to === undefined) {
    list(session, subject.id, kept)
    return 0
  }
  const chosen = name === undefined ? kept : [find(kept, { name, run: subject.id })]
  const blobs = await session.services.blobs(session.home)
  const written: { readonly artifact: KeptArtifact; readonly folder: string }[] = []
  for (const artifact of chosen) {
    const folder = resolve(session.directory, flags.to ?? '.', ...placeBelow(artifact, { name, flags }))
    await bringOut(blobs, artifact, { folder, isForced: flags.force === true })
    written.push({ artifact, folder })
    if (!session.isJson) session.print(session.isQuiet ? folder : `✓ ${artifact.name} is in ${folder}`)
  }
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'ArtifactExport',
      run: subject.id,
      items: written.map(({ artifact, folder }) => ({ ...itemOf(artifact), folder })),
    })
  else if (written.length === 0) session.say(`The run ${subject.id} has no artifact.`)
  return 0
}

/** One artifact goes into exactly the folder that the call names; several, or one without `--to`, into folders of their names. */
function placeBelow(
  artifact: KeptArtifact,
  { name, flags }: { readonly name: string | undefined; readonly flags: Flags },
): readonly string[] {
  return name !== undefined && flags.to !== undefined ? [] : [artifact.name]
}

function find(kept: readonly KeptArtifact[], { name, run }: { name: string; run: string }): KeptArtifact {
  const found = kept.find((artifact) => artifact.name === name)
  if (found !== undefined) return found
  const known = kept.map((artifact) => artifact.name)
  const nearest = nearestName(name, known)
  throw artifactUnknown({ name, run, known, ...(nearest === undefined ? {} : { nearest }) })
}

function list(session: Session, run: string, kept: readonly KeptArtifact[]): void {
  const now = session.world.now()
  printList<KeptArtifact>(session, {
    kind: 'ArtifactList',
    rows: kept,
    columns: [
      { title: 'NAME', screen: (row) => row.name, shrink: 1 },
      { title: 'JOB', screen: (row) => row.jobKey, shrink: 2 },
      { title: 'FILES', screen: (row) => String(row.files.length) },
      { title: 'SIZE', screen: (row) => renderSize(row.size), pipe: (row) => String(row.size) },
      { title: 'DIGEST', screen: (row) => shortDigest(row.digest), pipe: (row) => row.digest },
      { title: 'AGE', screen: (row) => age(now, row.createdAt), pipe: (row) => exactTime(row.createdAt) },
    ],
    toJson: itemOf,
    idOf: (row) => row.name,
    empty: `The run ${run} has no artifact: none of its jobs used actions/upload-artifact, or their days are over.`,
  })
}

function itemOf({ name, jobKey, attempt, size, digest, files, createdAt, retentionDays }: KeptArtifact): JsonObject {
  return {
    name,
    job: jobKey,
    attempt,
    size,
    digest,
    createdAt: exactTime(createdAt),
    retentionDays,
    files: files.map(({ path, mode, size: bytes, digest: of }) => ({
      path,
      mode: mode.toString(8),
      size: bytes,
      digest: of,
    })),
  }
}

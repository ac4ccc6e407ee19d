import { basename, resolve } from 'node:path'
import { changedLines } from '#core/evidence/changed-lines.ts'
import { reportKinds } from '#core/evidence/report-kind.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import { flagInvalid, refNotFound } from '#core/known/cli.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { selectsFile } from '#core/release/select-files.ts'
import type { GivenReport } from '#core/ticket/model.ts'
import { readReport } from '#engine/deployment/collect-evidence.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import type { Session } from '../session.ts'
import { carriedReport } from './carried-report.ts'
import { takeFile } from './take-folder.ts'

/** The commit that reports are about. */
interface Commit {
  readonly root: string
  readonly sha: string
  readonly config: ProjectConfig
}

/**
 * `--report junit.xml`, or `--report tests=out/result.xml` where the name does not say what it is. A report of coverage is compared with the lines that
 * the commit has changed: whoever takes the release in has no repository to ask.
 */
export async function takeReports(
  session: Session,
  flags: { readonly report?: readonly string[]; readonly base?: string },
  commit: Commit,
  blobs: BlobStore,
): Promise<readonly GivenReport[]> {
  const taken: GivenReport[] = []
  for (const written of flags.report ?? []) {
    const named = reportKinds.find((kind) => written.startsWith(`${kind}=`))
    const file = named === undefined ? written : written.slice(named.length + 1)
    const path = `given/${basename(file)}`
    const kind = named ?? kindOf(commit.config, path)
    if (kind === undefined)
      throw flagInvalid({ flag: '--report', value: written, expected: `${reportKinds.join('=, ')}= and a file` })
    const { digest, size } = await takeFile(blobs, '--report', { path, file: resolve(session.directory, file) })
    taken.push({ kind, path, digest, size })
  }
  if (taken.every(({ kind }) => kind !== 'coverage')) return taken
  const diff = await diffOf(session, commit, flags.base)
  const lines = diff === undefined ? undefined : changedLines(diff)
  return Promise.all(
    taken.map(async (one) =>
      one.kind === 'coverage' ? carriedReport({ ...one, ...(await readReport({ blobs }, one.kind, one, lines)) }) : one,
    ),
  )
}

/**
 * What the commit brings: since it left the base that was named, or the default branch; a commit of that branch itself, since its parent. Undefined
 * where git cannot tell: then nobody knows which lines are new, and a gate that asks is red.
 */
async function diffOf(
  { services }: Session,
  { root, sha }: Commit,
  base: string | undefined,
): Promise<string | undefined> {
  if (base !== undefined) {
    const found = await services.resolveRef(root, base)
    if (found === undefined) throw refNotFound({ ref: base, root })
    return services.git.diffLines(root, (await services.mergeBase(root, found.sha, sha)) ?? found.sha, sha)
  }
  const tips = (await services.git.defaultBranch(root))?.tips ?? []
  const bases = (await Promise.all(tips.map((tip) => services.mergeBase(root, tip, sha)))).flatMap((one) => one ?? [])
  return services.git.diffLines(root, bases.includes(sha) ? undefined : bases[0], sha)
}

function kindOf({ release }: ProjectConfig, path: string): ReportKind | undefined {
  return reportKinds.find((kind) => selectsFile(release.reports[kind], path))
}

import { access, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasErrors, renderDiagnostic } from '#core/diagnostic.ts'
import type { Parsed } from '#core/diagnostic.ts'
import { applicationAmbiguous, filesInvalid } from '#core/known/cli.ts'
import { parseProject } from '#core/project/parse.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { viewApplications } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { Session } from './session.ts'
import { readPlainFile } from './plain-file.ts'

/** `shipway.yml` as it is on the disk, with what was found in it. */
export interface ProjectFile {
  /** Folder that holds it: the repository's root. */
  readonly root: string
  readonly text: string
  readonly parsed: Parsed<ProjectConfig>
}

/** The nearest `shipway.yml` in a folder or above it, up to the root of the repository. */
export async function findProject(directory: string): Promise<ProjectFile | undefined> {
  for (let folder = directory; ; folder = dirname(folder)) {
    const text = await readPlainFile(join(folder, 'shipway.yml')).catch(() => undefined)
    if (text !== undefined) {
      return { root: folder, text, parsed: parseProject({ file: 'shipway.yml', text, folderName: basename(folder) }) }
    }
    const isRepositoryRoot = await exists(join(folder, '.git'))
    if (isRepositoryRoot || dirname(folder) === folder) return undefined
  }
}

/** The application of a repository: what its `shipway.yml` says, else the name of its folder. */
export async function applicationOf(root: string): Promise<string> {
  const project = await findProject(root)
  const config =
    project?.parsed.value ?? parseProject({ file: 'shipway.yml', text: '', folderName: basename(root) }).value
  return config?.application ?? basename(root)
}

/** The application of the repository around a folder; undefined outside of one. Asks no git. */
export async function applicationHere(directory: string): Promise<string | undefined> {
  for (let folder = await realpath(directory); ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return applicationOf(folder)
    if (dirname(folder) === folder) return undefined
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The configuration of a project file, or one error with every mistake in it. */
export function checkedProject(file: ProjectFile): ProjectConfig {
  const { value, diagnostics } = file.parsed
  if (value !== undefined) return value
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  throw filesInvalid({
    files: ['shipway.yml'],
    errors: errors.length,
    details: errors.map((diagnostic) => renderDiagnostic(diagnostic, file.text)),
  })
}

/**
 * Which application a call means: `--app`, else the project of the folder, else the only one of the state home. Undefined when there is
 * none at all. A `shipway.yml` with mistakes does not stand in the way of whoever must lock or roll back: what was admitted from the same
 * repository before is meant then.
 */
export async function findApplication(
  session: Session,
  q: Query | undefined,
  flag: string | undefined,
): Promise<string | undefined> {
  if (flag !== undefined) return flag
  const project = await findProject(session.directory)
  if (project?.parsed.value !== undefined) return project.parsed.value.application
  const known = q === undefined ? [] : await viewApplications(q)
  if (project !== undefined && hasErrors(project.parsed.diagnostics)) {
    const root = await realpath(project.root)
    const own = known.find(({ repository }) => repository === project.root || repository === root)
    if (own === undefined) checkedProject(project)
    return own?.name
  }
  const names = known.map((application) => application.name)
  if (names.length > 1) throw applicationAmbiguous({ known: names })
  return names[0]
}

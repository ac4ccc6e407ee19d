import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { KnownError } from '#core/errors.ts'
import { filesExist } from '#core/known/cli.ts'
import { shortRef } from '#core/view/name.ts'
import type { CommandPage } from '../command.ts'
import { detectProject } from '../init/detect.ts'
import { projectPath, renderProject, renderWorkflow, targetsFolder, workflowPath } from '../init/render.ts'
import type { Session } from '../session.ts'

interface Flags {
  readonly force?: boolean
  readonly dryRun?: boolean
}

interface PlannedFile {
  readonly path: string
  readonly text: string
}

export const page: CommandPage = {
  description:
    'Looks at the project (Node, Python, Go, Rust, make, Docker, a static site) and writes .github/workflows/ci.yml and shipway.yml that work as they are: tests on every push, a staging and a production environment on this machine. Never overwrites without --force.',
  examples: [
    { command: 'shipway init', purpose: 'write the two files' },
    { command: 'shipway init --dry-run', purpose: 'show them, write nothing' },
  ],
  exits: [0, 2],
  define: (command, act) => {
    command
      .option('--force', 'replace files that are there')
      .option('--dry-run', 'show what would be written')
      .action(act(init))
  },
}

async function init(session: Session, flags: Flags): Promise<number> {
  const { root, branch, isRepository, hasCommit } = await findRoot(session)
  const project = await detectProject(root)
  const files: readonly PlannedFile[] = [
    { path: workflowPath, text: renderWorkflow(project) },
    { path: projectPath, text: renderProject(project, branch) },
  ]
  if (flags.dryRun === true) {
    if (session.isJson) session.printJson({ apiVersion: 'v1', kind: 'InitPlan', project: project.kind, items: files })
    else for (const { path, text } of files) session.print(`${session.out.paint('bold', `# ${path}`)}\n${text}`)
    return 0
  }
  const there = await filesThatExist(root, files)
  if (there.length > 0 && flags.force !== true) throw filesExist({ files: there })
  for (const { path, text } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  const isIgnored = await ignoreTargets(root)
  const written = [...files.map(({ path }) => path), ...(isIgnored ? ['.gitignore'] : [])]
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'Init',
      project: project.kind,
      because: project.because,
      items: written.map((path) => ({ path })),
    })
  else if (session.isQuiet) for (const path of written) session.print(path)
  else {
    session.print(`✓ ${written.join(', ')} written for ${basename(root)} (${project.kind}: ${project.because})`)
    session.say(
      `next: ${isRepository ? '' : `git init --initial-branch=${branch} && `}git add ${hasCommit ? written.join(' ') : '--all'} && git commit -m "Add pipeline" && shipway run`,
    )
  }
  return 0
}

interface Place {
  readonly root: string
  /** The branch that environments take releases from. */
  readonly branch: string
  readonly isRepository: boolean
  readonly hasCommit: boolean
}

/** The repository's root; a folder that is no repository yet is taken as it is. */
async function findRoot(session: Session): Promise<Place> {
  try {
    const facts = await session.services.describeRepository(session.directory)
    const known = await session.services.git.defaultBranch(facts.root)
    // A repository without a commit has no branch yet, but a name for the first one.
    const current = facts.ref?.startsWith('refs/heads/') === true ? shortRef(facts.ref) : undefined
    return {
      root: facts.root,
      branch: known?.name ?? current ?? facts.defaultBranch,
      isRepository: true,
      hasCommit: facts.sha !== undefined,
    }
  } catch (error) {
    if (!(error instanceof KnownError) || error.code !== 'REPOSITORY_NOT_FOUND') throw error
    return { root: session.directory, branch: 'main', isRepository: false, hasCommit: false }
  }
}

async function filesThatExist(root: string, files: readonly PlannedFile[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const { path } of files) {
    const text = await readFile(join(root, path)).catch(() => undefined)
    if (text !== undefined) found.push(path)
  }
  return found
}

/** Keeps what is deployed on this machine and exported releases out of git: either would make the tree dirty. True when the file had to be changed. */
async function ignoreTargets(root: string): Promise<boolean> {
  const path = join(root, '.gitignore')
  const text = await readFile(path, 'utf8').catch(() => '')
  const there = text.split('\n')
  const missing = [`/${targetsFolder}/`, '*.release.zip'].filter((line) => !there.includes(line))
  if (missing.length === 0) return false
  await appendFile(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
  return true
}

import { basename, resolve } from 'node:path'
import { renderDiagnostic, withHint } from '#core/diagnostic.ts'
import type { Diagnostic } from '#core/diagnostic.ts'
import { fileUnreadable } from '#core/known/cli.ts'
import { checkLabels } from '#core/plan/check-labels.ts'
import type { PlatformRules } from '#core/plan/platform.ts'
import type { ProjectConfig } from '#core/project/model.ts'
import { parseProject } from '#core/project/parse.ts'
import { checkEnvironmentNames } from '#core/workflow/check-environment.ts'
import { checkJobNames } from '#core/workflow/check-job-name.ts'
import type { ReadCalled } from '#core/workflow/link-calls.ts'
import { readStoredRemote } from '../called-workflows.ts'
import type { CommandPage } from '../command.ts'
import { checkReach } from '../lint-reach.ts'
import type { CheckedFile } from '../lint-reach.ts'
import { fileProblem } from '../file-problem.ts'
import { findProject } from '../project.ts'
import type { Session } from '../session.ts'
import { readWorkflows } from '../workflow-source.ts'
import type { WorkflowFile } from '../workflow-source.ts'
import { readPlainFile } from '../plain-file.ts'

interface Flags {
  readonly strict?: boolean
}

export const page: CommandPage = {
  description:
    'Checks workflow files and shipway.yml, and shows every mistake at once with file, line and column: also in the workflows that are called and the local actions that are used. Without files it checks all of the project. Needs no git and no network.',
  examples: [
    { command: 'shipway lint', purpose: 'everything in this project' },
    { command: 'shipway lint .github/workflows/ci.yml shipway.yml', purpose: 'two files' },
    { command: 'shipway lint --json', purpose: 'diagnostics for an editor or a program' },
  ],
  exits: [0, 2],
  define: (command, act) => {
    command
      .argument('[files...]', 'workflow files, folders of them, or shipway.yml (default: the whole project)')
      .option('--strict', 'warnings count as mistakes')
      .action(act(lint))
  },
}

async function lint(session: Session, paths: readonly string[], flags: Flags): Promise<number> {
  const checked = paths.length === 0 ? await wholeProject(session) : await namedFiles(session, paths)
  const all = checked.flatMap(({ diagnostics }) => diagnostics)
  const isRed = all.some(({ severity }) => severity === 'error' || flags.strict === true)
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'DiagnosticList',
      files: checked.map(({ file }) => file),
      items: all.map(withHint),
    })
  } else {
    for (const { text, diagnostics } of checked)
      for (const diagnostic of diagnostics)
        session.print(
          `${paintHead(session, session.out.foreign(renderDiagnostic(diagnostic, text)), diagnostic.severity)}\n`,
        )
    session.say(summary(checked, all))
  }
  return isRed ? 2 : 0
}

async function wholeProject(session: Session): Promise<readonly CheckedFile[]> {
  const project = await findProject(session.directory)
  const root = project?.root ?? session.directory
  const workflows = await readWorkflows(root, session.directory, undefined)
  const checked = await checkWorkflows(root, workflows, rulesOf(session, project?.parsed.value))
  if (project === undefined) return checked
  const diagnostics = [...project.parsed.diagnostics, ...(await unknownJobs(project.text, workflows))]
  return [...checked, checkedText('shipway.yml', project.text, diagnostics)]
}

/** Only where every workflow could be read, which jobs there are can be told. */
async function unknownJobs(text: string, workflows: readonly WorkflowFile[]): Promise<readonly Diagnostic[]> {
  const models = workflows.flatMap(({ parsed }) => (parsed.value === undefined ? [] : [parsed.value]))
  if (models.length === 0 || models.length < workflows.length) return []
  const jobs = models.flatMap((model) => model.jobs.map(({ id }) => id))
  return checkJobNames({ file: 'shipway.yml', text }, [...new Set(jobs)])
}

/** What a workflow is checked against besides itself. */
interface LintRules {
  readonly config: ProjectConfig | undefined
  readonly platforms: PlatformRules
  /** Workflows of other repositories that the home has already; what is not there is not asked for. */
  readonly remote: ReadCalled
}

function rulesOf(session: Session, config: ProjectConfig | undefined): LintRules {
  const platforms = { platforms: config?.platforms ?? {}, machine: session.world.machine }
  return { config, platforms, remote: readStoredRemote(session) }
}

async function checkWorkflows(
  root: string,
  workflows: readonly WorkflowFile[],
  rules: LintRules,
): Promise<readonly CheckedFile[]> {
  const checked = await Promise.all(workflows.map((workflow) => checkWorkflow(workflow, rules)))
  const models = workflows.flatMap(({ parsed }) => (parsed.value === undefined ? [] : [parsed.value]))
  return checkReach(root, checked, models, rules.remote)
}

/** What the parser says, and which environments the project does not have. */
async function checkWorkflow(
  { file, text, parsed }: WorkflowFile,
  { config, platforms }: LintRules,
): Promise<CheckedFile> {
  const known = config?.environments.map(({ name }) => name)
  const unknown = known === undefined ? [] : await checkEnvironmentNames({ file, text }, known)
  const labels = parsed.value === undefined ? [] : checkLabels(parsed.value, platforms)
  return {
    file,
    text,
    diagnostics: [...parsed.diagnostics, ...unknown, ...labels.map((label) => ({ ...label, file }))],
  }
}

/** For the rest of the program an empty shipway.yml is a project without environments; whoever checks one has forgotten something. */
function checkedText(file: string, text: string, diagnostics: readonly Diagnostic[]): CheckedFile {
  const isEmpty = text.split('\n').every((line) => /^\s*(?:#.*|---|\.\.\.)?\s*$/.test(line))
  if (!isEmpty) return { file, text, diagnostics }
  const start = { line: 1, column: 1 }
  const problem: Diagnostic = {
    severity: 'error',
    code: 'CONFIG_EMPTY',
    file,
    range: { start, end: start },
    message: 'The file is empty: there is no environment that a release could go to.',
    hint: '`shipway init --force` writes one that works.',
  }
  return { file, text, diagnostics: [problem] }
}

async function namedFiles(session: Session, paths: readonly string[]): Promise<readonly CheckedFile[]> {
  const checked: CheckedFile[] = []
  const workflows: WorkflowFile[] = []
  const project = await findProject(session.directory)
  const root = project?.root ?? session.directory
  for (const path of paths) {
    if (/(?:^|[/.])shipway\.ya?ml$/.test(path)) checked.push(await checkProjectFile(session, path))
    else workflows.push(...(await readWorkflows(root, session.directory, [path])))
  }
  return [...(await checkWorkflows(root, workflows, rulesOf(session, project?.parsed.value))), ...checked]
}

async function checkProjectFile(session: Session, path: string): Promise<CheckedFile> {
  const absolute = resolve(session.directory, path)
  try {
    const text = await readPlainFile(absolute)
    const parsed = parseProject({ file: path, text, folderName: basename(resolve(absolute, '..')) })
    return checkedText(path, text, parsed.diagnostics)
  } catch (error) {
    throw fileUnreadable({
      flag: 'The project file',
      path,
      problem: fileProblem(error) ?? 'it cannot be opened',
      cause: error,
    })
  }
}

function paintHead(session: Session, text: string, severity: Diagnostic['severity']): string {
  const [head = '', ...rest] = text.split('\n')
  const colour = severity === 'error' ? 'red' : 'yellow'
  return [
    session.out.paint('bold', head),
    ...rest.map((line) => (/^ *\| +\^+$/.test(line) ? session.out.paint(colour, line) : line)),
  ].join('\n')
}

function summary(checked: readonly CheckedFile[], all: readonly Diagnostic[]): string {
  const errors = all.filter(({ severity }) => severity === 'error').length
  const warnings = all.length - errors
  const files = `${checked.length} ${checked.length === 1 ? 'file' : 'files'} checked`
  if (checked.length === 0) return 'There is no workflow file and no shipway.yml here; `shipway init` writes both.'
  return `${files}: ${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`
}

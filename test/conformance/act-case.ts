import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { Repository } from '../rig/repository.ts'
import { conformanceRoot, missingData, readData } from './data.ts'
import type { RunFacts } from './run-fact.ts'

/** A case of act's test suite, as far as we need it. */
export interface ActCase {
  readonly name: string
  readonly dir: string
  readonly event: string
  readonly mode: 'run' | 'dryrun' | 'plan'
  readonly eventFile?: string
  readonly inputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly matrixFilter?: Readonly<Record<string, readonly string[]>>
}

/** What is to be true of a case. */
export interface Expectation extends RunFacts {
  /** Flags besides those that the case itself asks for. */
  readonly flags?: readonly string[]
  /** Actions of other repositories, by name, and the folder that stands for each: the case has a home of its own, with them in its store. */
  readonly actions?: Readonly<Record<string, string>>
  /** It needs Docker. */
  readonly container?: boolean
}

interface Expectations {
  /** By `folder`, `folder [event]` or `folder [dry]`. */
  readonly cases: Readonly<Record<string, Expectation>>
  /** Why a case is not met today, by the same key. */
  readonly gaps: Readonly<Record<string, string>>
}

/** Why the cases cannot run here. */
export const missingAct = missingData('actions/act')
const testdata = path.join(conformanceRoot, 'actions/act/testdata')

/** Our facts about the cases, and why some are not met today. */
export const actExpectations = parse(
  readFileSync(path.join(import.meta.dirname, 'act/expect.yml'), 'utf8'),
) as Expectations

/** The cases whose files are given, by the key of their facts. Those that differ in nothing but where act runs them are one. */
export function actCases(): ReadonlyMap<string, ActCase & { names: readonly string[] }> {
  const groups = new Map<string, ActCase & { names: string[] }>()
  for (const one of JSON.parse(readData('actions/act/cases.json')) as readonly ActCase[]) {
    if (!existsSync(path.join(testdata, folderOf(one)))) continue
    const key = `${folderOf(one)}${suffixOf(one)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ...one, names: [one.name] })
    else group.names.push(one.name)
  }
  return groups
}

function folderOf({ dir }: ActCase): string {
  return dir.replace(/^pkg\/runner\/testdata\//, '')
}

/** Two cases of a folder differ in the event, in whether they run at all, or in what act's own test asks of them. */
function suffixOf({ name, mode }: ActCase): string {
  if (mode !== 'run') return ' [dry]'
  if (name.startsWith('TestPullAndPostStepFailureIsJobFailure/checkout')) return ' [no image]'
  return /\[\w+\]$/.exec(name)?.[0].replace(/^/, ' ') ?? ''
}

/** The words after `shipway run`. */
export function actArguments(one: ActCase): readonly string[] {
  const pairs = (flag: string, values: Readonly<Record<string, string>> | undefined): readonly string[] =>
    Object.entries(values ?? {}).flatMap(([name, value]) => [flag, `${name}=${value}`])
  const folder = folderOf(one)
  return [
    one.event.startsWith('(') ? 'push' : one.event,
    '--json',
    '--workflow',
    folder,
    ...(one.mode !== 'run' ? ['--dry-run'] : []),
    ...(one.eventFile === undefined ? [] : ['--event-file', one.eventFile.replace(/^pkg\/runner\/testdata\//, '')]),
    ...pairs('--input', one.inputs),
    ...pairs('--env', one.env),
    ...pairs('--secret', one.secrets),
    ...Object.entries(one.matrixFilter ?? {}).flatMap(([key, values]) =>
      values.flatMap((value) => ['--matrix', `${key}:${value}`]),
    ),
  ]
}

/** All files of the cases in one repository, and what the data leaves out: the builds of three JavaScript actions. */
export function actRepository(): Repository {
  const repository = new Repository()
  cpSync(testdata, repository.root, { recursive: true, verbatimSymlinks: true })
  for (const name of ['node12', 'node16', 'node20']) {
    const folder = path.join(repository.root, 'actions', name, 'dist')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'index.js'), built)
  }
  repository.commit({}, 'Add the workflows')
  return repository
}

/** What the sources of these actions do, without the packages that they are built with. */
const built = `import('node:fs').then(({ appendFileSync, readFileSync }) => {
  console.log('Hello ' + process.env['INPUT_WHO-TO-GREET'] + '!')
  appendFileSync(process.env.GITHUB_OUTPUT, 'time=' + new Date().toTimeString() + '\\n')
  console.log('The event payload: ' + JSON.stringify(JSON.parse(readFileSync(process.env.GITHUB_EVENT_PATH)), undefined, 2))
})
`

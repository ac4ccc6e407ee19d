import { annotationLengthMax, placeOf } from './annotation.ts'
import type { AnnotationPlace } from './annotation.ts'
import { isBlockedVariable } from './file-command.ts'
import { parseWorkflowCommand } from './workflow-command.ts'
import type { WorkflowCommand } from './workflow-command.ts'

/** What the commands of a step do to its job. */
export interface CommandEffects {
  setOutput(name: string, value: string): void
  saveState(name: string, value: string): void
  addMask(text: string): void
  setVariable(name: string, value: string): void
  addPath(path: string): void
  /** Problem matchers from a file. Both return why it cannot be done. */
  addMatcher(path: string): string | undefined
  removeMatcher(which: { readonly owner: string; readonly path: string }): string | undefined
  /** Records the annotation; the line in the log is the session's answer. */
  annotate(level: 'notice' | 'warning' | 'error', message: string, place: AnnotationPlace): void
  /** The step fails, whatever its process returns (actions-semantics 70). */
  fail(reason: string): void
}

export interface CommandSettings {
  readonly workspace: string
  /** `ACTIONS_STEP_DEBUG`: debug lines are shown, and every command is echoed. */
  readonly isDebug: boolean
  /** `ACTIONS_ALLOW_UNSECURE_COMMANDS`: `set-env` and `add-path` work. */
  readonly allowsUnsecureCommands: boolean
}

/** What becomes of a line: it is plain text, or this is printed in its place (nothing when empty; without line end). */
export type CommandAnswer = { readonly kind: 'text' } | { readonly kind: 'command'; readonly lines: readonly string[] }

const PLAIN_TEXT: CommandAnswer = { kind: 'text' }

/** Tokens up to this length are not masked: they would blank out ordinary text (71). */
const STOP_TOKEN_SHORT = 6

type Level = 'notice' | 'warning' | 'error'

/** The workflow commands of one step: knows whether they are stopped and echoed. Both streams of the step share it. */
export class CommandSession {
  readonly #effects: CommandEffects
  readonly #settings: CommandSettings
  #echoes: boolean
  #stopToken: string | undefined

  constructor(effects: CommandEffects, settings: CommandSettings) {
    this.#effects = effects
    this.#settings = settings
    this.#echoes = settings.isDebug
  }

  /** Carries out the command in a line of output, if there is one. */
  accept(line: string): CommandAnswer {
    const stopToken = this.#stopToken
    if (stopToken !== undefined) {
      const resumed = parseWorkflowCommand(line, (name) => name.toLowerCase() === stopToken)
      if (resumed !== undefined) this.#stopToken = undefined
      return PLAIN_TEXT
    }
    const command = parseWorkflowCommand(line, (name) => handlers.has(name.toLowerCase()))
    if (command === undefined) return PLAIN_TEXT
    const handler = handlers.get(command.name.toLowerCase())
    if (handler === undefined) return PLAIN_TEXT
    const lines = handler.run(command, this)
    return { kind: 'command', lines: this.#echoes && handler.isEchoed === true ? [line, ...lines] : lines }
  }

  get effects(): CommandEffects {
    return this.#effects
  }

  get settings(): CommandSettings {
    return this.#settings
  }

  set echoes(echoes: boolean) {
    this.#echoes = echoes
  }

  get echoes(): boolean {
    return this.#echoes
  }

  /** Ignores all commands until `::token::`. */
  stop(token: string): void {
    this.#stopToken = token.toLowerCase()
  }

  /** A command that cannot be carried out fails its step. Returns the lines for the log. */
  refuse(message: string): readonly string[] {
    this.#effects.fail(message)
    this.#effects.annotate('error', message, {})
    return [`##[error]${message}`]
  }
}

interface Handler {
  /** Whether `::echo::on` shows the command's own line. */
  readonly isEchoed?: boolean
  /** Returns the lines to print. */
  run(command: WorkflowCommand, session: CommandSession): readonly string[]
}

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['set-output', { isEchoed: true, run: withName((name, value, { effects }) => effects.setOutput(name, value)) }],
  ['save-state', { isEchoed: true, run: withName((name, value, { effects }) => effects.saveState(name, value)) }],
  ['set-env', { isEchoed: true, run: unsecure('set-env', setVariable) }],
  ['add-path', { isEchoed: true, run: unsecure('add-path', addPath) }],
  ['add-mask', { run: addMask }],
  ['debug', { run: printDebug }],
  ['notice', { run: annotation('notice') }],
  ['warning', { run: annotation('warning') }],
  ['error', { run: annotation('error') }],
  ['group', { run: (command) => [`##[group]${command.value}`] }],
  ['endgroup', { run: () => ['##[endgroup]'] }],
  ['echo', { run: setEcho }],
  ['stop-commands', { run: stopCommands }],
  ['add-matcher', { isEchoed: true, run: addMatcher }],
  ['remove-matcher', { isEchoed: true, run: removeMatcher }],
])

function withName(set: (name: string, value: string, session: CommandSession) => void): Handler['run'] {
  return (command, session) => {
    const name = command.properties['name']
    if (name === undefined || name === '') {
      return session.refuse(`Required field 'name' is missing in ##[${command.name}] command.`)
    }
    set(name, command.value, session)
    return []
  }
}

/** `set-env` and `add-path` let whatever a step prints change the job: GitHub switched them off in 2020. */
function unsecure(name: string, run: Handler['run']): Handler['run'] {
  return (command, session) =>
    session.settings.allowsUnsecureCommands
      ? run(command, session)
      : session.refuse(
          `The \`${name}\` command is disabled. Please upgrade to using Environment Files or opt into unsecure ` +
            'command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.',
        )
}

function setVariable(command: WorkflowCommand, session: CommandSession): readonly string[] {
  const name = command.properties['name'] ?? ''
  if (name === '') return session.refuse("Required field 'name' is missing in ##[set-env] command.")
  if (isBlockedVariable(name)) {
    const message = `Can't update ${name} environment variable using ::set-env:: command.`
    session.effects.annotate('error', message, {})
    return [`##[error]${message}`]
  }
  session.effects.setVariable(name, command.value)
  return []
}

function addPath(command: WorkflowCommand, session: CommandSession): readonly string[] {
  if (command.value === '') return session.refuse('A path is missing in ##[add-path] command.')
  session.effects.addPath(command.value)
  return []
}

function addMask(command: WorkflowCommand, session: CommandSession): readonly string[] {
  if (command.value.trim() === '') {
    const message = "Can't add secret mask for empty string in ##[add-mask] command."
    session.effects.annotate('warning', message, {})
    return [`##[warning]${message}`]
  }
  session.effects.addMask(command.value)
  return session.echoes ? ['::add-mask::***'] : []
}

function addMatcher(command: WorkflowCommand, session: CommandSession): readonly string[] {
  const path = command.value.trim()
  if (path === '') return session.refuse('A file path is missing in ##[add-matcher] command.')
  const problem = session.effects.addMatcher(path)
  return problem === undefined ? [] : session.refuse(problem)
}

function removeMatcher(command: WorkflowCommand, session: CommandSession): readonly string[] {
  const owner = command.properties['owner'] ?? ''
  const path = command.value.trim()
  if ((owner === '') === (path === '')) {
    return session.refuse('Either the owner or a file path must be given in ##[remove-matcher] command.')
  }
  const problem = session.effects.removeMatcher({ owner, path })
  return problem === undefined ? [] : session.refuse(problem)
}

function printDebug(command: WorkflowCommand, session: CommandSession): readonly string[] {
  if (!session.settings.isDebug) return []
  return command.value.split('\n').map((line) => `##[debug]${line}`)
}

function annotation(level: Level): Handler['run'] {
  return (command, session) => {
    const message = command.value.slice(0, annotationLengthMax)
    session.effects.annotate(level, message, placeOf(command.properties, session.settings.workspace))
    return [`##[${level}]${command.value}`]
  }
}

function setEcho(command: WorkflowCommand, session: CommandSession): readonly string[] {
  const value = command.value.trim().toLowerCase()
  if (value !== 'on' && value !== 'off') {
    return session.refuse(
      `Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '${command.value}'.`,
    )
  }
  session.echoes = value === 'on'
  return []
}

function stopCommands(command: WorkflowCommand, session: CommandSession): readonly string[] {
  const token = command.value
  if (token === '' || token.toLowerCase() === 'pause-logging' || handlers.has(token.toLowerCase())) {
    return session.refuse(
      `The stop token '${token}' cannot be used: it must not be empty, 'pause-logging' or the name of a command.`,
    )
  }
  if (token.length > STOP_TOKEN_SHORT) session.effects.addMask(token)
  session.stop(token)
  return [`::stop-commands::${token}`]
}

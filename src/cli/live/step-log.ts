import { isActionMark } from '#core/step/action-mark.ts'
import type { Palette } from '../palette.ts'

/** Where in a job's log we are: which step's lines come, and whether its header is still open. */
export interface StepLog {
  /** 0: the runner sets the job up. */
  readonly number: number
  readonly name: string
  /** `next`: nothing of the step has come yet. A list: the lines of its header so far. */
  header: 'next' | 'over' | string[]
  /** The last error line, so that the step's end does not say it again. */
  lastError?: string
}

/** What stands before each line of a job's log. */
export function jobLabel(job: string, { paint }: Palette): string {
  return `${paint('cyan', job)} ${paint('dim', '│')} `
}

export function beginStep(number: number, name: string): StepLog {
  return { number, name, header: 'next' }
}

const headerStart = '##[group]Run '

/**
 * Whole lines of a job's log as a person reads them: the header of a step (script, inputs, environment) dimmed and indented without
 * what its name says already, `##[group]Install` and its like as what they mean. Of the set-up only what warns or fails is left.
 */
export function renderStepLog(step: StepLog, text: string, palette: Palette): readonly string[] {
  if (step.number === 0) return setUpLines(step, text.split('\n'), palette)
  if (step.header === 'over' && !text.includes('##[')) return [palette.foreign(text)]
  return text.split('\n').flatMap((line) => renderLine(step, line, palette))
}

/** What was held back of a header that never ended. */
export function endStepLog(step: StepLog, palette: Palette): readonly string[] {
  if (!Array.isArray(step.header)) return []
  const lines = renderHeader(step.name, step.header, palette)
  step.header = 'over'
  return lines
}

/** The lines of a failed step without its header, markers as what they mean: for the end of a run and for `why`. */
export function renderTail(lines: readonly string[], palette: Palette): readonly string[] {
  return lines.flatMap((line) => readMarker(line, palette))
}

/** A step's lines without the header that the runner wrote before them. */
export function withoutHeader(lines: readonly string[]): readonly string[] {
  const hasHeader = lines[0]?.startsWith(headerStart) === true
  return lines.slice(hasHeader ? lines.indexOf('##[endgroup]') + 1 : 0).filter((line) => !isActionMark(line))
}

function renderLine(step: StepLog, line: string, palette: Palette): readonly string[] {
  if (isActionMark(line)) return []
  if (step.header === 'next') step.header = line.startsWith(headerStart) ? [] : 'over'
  if (Array.isArray(step.header)) {
    if (line === '##[endgroup]') return endStepLog(step, palette)
    step.header.push(line)
    return []
  }
  if (line.startsWith(errorMarker)) step.lastError = line.slice(errorMarker.length)
  return readMarker(line, palette)
}

function setUpLines(step: StepLog, lines: readonly string[], palette: Palette): readonly string[] {
  return lines.flatMap((line) => {
    if (line.startsWith(errorMarker)) step.lastError = line.slice(errorMarker.length)
    return /^##\[(?:error|warning)\]/.test(line) ? readMarker(line, palette) : []
  })
}

/** `Run npm test` is said once: as the step's name, as the header's title, or as the script's only line. */
function renderHeader(name: string, [first = '', ...body]: readonly string[], palette: Palette): readonly string[] {
  const title = first.slice('##[group]'.length)
  const script = title.slice('Run '.length)
  const isScript = body.find((line) => line.trim() !== '')?.trim() === script
  const isOneLine = isScript && body[1]?.startsWith('shell: ') === true
  const shown = isOneLine && name === title ? body.slice(1) : body
  const lines = isScript || name === title ? shown : [title, ...shown]
  return lines.map((line) => palette.paint('dim', `  ${palette.foreign(line)}`))
}

const errorMarker = '##[error]'

const markerColours = {
  error: 'red',
  warning: 'yellow',
  notice: 'cyan',
  debug: 'dim',
  command: 'dim',
  section: 'bold',
} as const

/** `##[group]Install` and its like are marks for a page that folds; a reader of lines sees what they mean. */
function readMarker(line: string, palette: Palette): readonly string[] {
  const [, kind, text = ''] = /^##\[(\w+)\](.*)$/.exec(line) ?? []
  if (kind === undefined) return [palette.foreign(line)]
  if (kind === 'endgroup') return []
  if (kind === 'group') return [palette.paint('dim', `▸ ${palette.foreign(text)}`)]
  const colour = Object.entries(markerColours).find(([name]) => name === kind)?.[1]
  return colour === undefined ? [palette.foreign(line)] : [palette.paint(colour, `${kind}: ${palette.foreign(text)}`)]
}

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KnownError, exitCodeOf, reportError } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import { stateHome } from './session.ts'
import type { GlobalOptions } from './session.ts'
import { makePalette } from './palette.ts'
import type { Palette } from './palette.ts'
import type { CliWorld } from './world.ts'

/** Lines of evidence that an error shows; the rest is counted. */
const detailLinesMax = 60

/**
 * The one place where a command's failure ends its journey: told to a person on standard error, or to a program as a document on
 * standard output. Returns the exit status. What nobody foresaw leaves a report file and no stack on the screen.
 */
export async function endWithFailure(world: CliWorld, options: GlobalOptions, error: unknown): Promise<number> {
  const report = reportError(error)
  const exitCode = exitCodeOf[report.kind]
  const isKnown = error instanceof KnownError
  const place = isKnown ? undefined : await saveBugReport(world, options, error)
  const full: ErrorReport = isKnown ? report : describeBug(error, place)
  if (options.json === true) world.stdout.write(`${JSON.stringify(errorDocument(full, exitCode))}\n`)
  else world.stderr.write(renderFailure(full, exitCode, makePalette(world, world.stderrIsTTY, options.color)))
  if (options.debug === true) world.stderr.write(`${stackOf(error)}\n`)
  return exitCode
}

/** What, why, how to fix, code: in this order, because the last lines are read first. */
export function renderFailure(report: ErrorReport, exitCode: number, palette: Palette): string {
  const [first = '', ...rest] = report.message.split('\n')
  const lines = [
    `${palette.paint(['red', 'bold'], 'error:')} ${palette.foreign(first)}`,
    ...rest.map((line) => `  ${palette.foreign(line)}`),
  ]
  const details = (report.details ?? []).flatMap((detail) => detail.split('\n'))
  lines.push(...details.slice(0, detailLinesMax).map((line) => `  ${palette.foreign(line)}`.trimEnd()))
  if (details.length > detailLinesMax) lines.push(`  … and ${details.length - detailLinesMax} more lines`)
  if (report.hint !== undefined)
    lines.push(`  ${palette.paint('bold', 'fix:')} ${palette.foreign(report.hint).replaceAll('\n', '\n       ')}`)
  lines.push(`  ${palette.paint('dim', `(code ${report.code}, exit ${exitCode})`)}`)
  return `${lines.join('\n')}\n`
}

/** The same for programs: decide by `code`. */
export function errorDocument(report: ErrorReport, exitCode: number): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Error',
    error: {
      code: report.code,
      message: report.message,
      why: report.details ?? [],
      fix: report.hint ?? null,
      exitCode,
    },
  }
}

function describeBug(error: unknown, place: string | undefined): ErrorReport {
  return {
    code: 'BUG',
    kind: 'red',
    message: `This is a mistake in Shipway: ${error instanceof Error ? error.message : String(error)}`,
    hint:
      place === undefined
        ? 'Repeat the command with --debug and send the text that follows.'
        : `The report is in ${place}: please send it, after a look at what it holds.`,
  }
}

/** Writes what is needed to find the mistake; the arguments stay out of it, because they may hold secrets. */
async function saveBugReport(world: CliWorld, options: GlobalOptions, error: unknown): Promise<string | undefined> {
  const time = new Date(world.now()).toISOString()
  const folder = join(stateHome(world, options.home), 'reports')
  const path = join(folder, `${time.replaceAll(/[-:.]/g, '')}.txt`)
  const text = [
    `shipway ${world.version}`,
    `node ${process.version} ${process.platform} ${process.arch}`,
    time,
    '',
    stackOf(error),
    '',
  ].join('\n')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(path, text, { mode: 0o600 })
    return path
  } catch {
    return undefined
  }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

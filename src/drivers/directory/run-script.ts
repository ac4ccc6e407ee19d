import { Redactor } from '#core/redact/redactor.ts'
import type { Progress } from '#ports/deploy-driver.ts'
import type { HostShell, ShellCall } from '#ports/host-shell.ts'
import type { Answer, FolderOrder } from '#ports/release-folders.ts'
import { limitLog, logLinesMax, parseAnswer, parseAnswers, scriptFailure } from './answer.ts'
import type { ScriptScene } from './answer.ts'

/**
 * Runs a script on a target and returns what it answered; throws the known error behind a script that failed. What it says as `log` is told as it
 * comes, up to a number of lines; of the rest the end is told when the script is over. Every line is told at most once.
 */
export async function runScript(
  shell: HostShell,
  call: ShellCall,
  scene: ScriptScene & { order?: FolderOrder },
  signal: AbortSignal,
  progress?: Progress,
): Promise<readonly Answer[]> {
  const redact = redactionOf(scene.order)
  // Some tools end their lines as for a terminal.
  const shown = (line: string): string => redact(line.replace(/\r+$/, ''))
  let told = 0
  const onLine = (line: string): void => {
    const answer = parseAnswer(line)
    if (answer?.word !== 'log' || told >= logLinesMax) return
    told += 1
    progress?.(shown(answer.rest))
  }
  const result = await shell.run(progress === undefined ? call : { ...call, onLine }, signal)
  const said = parseAnswers(result.stdout).map((answer) =>
    answer.word === 'log' ? { word: 'log', rest: shown(answer.rest) } : answer,
  )
  const rest = said.filter(({ word }) => word === 'log').slice(told)
  for (const line of rest.slice(-logLinesMax)) progress?.(line.rest)
  const answers = limitLog(said)
  if (result.exitCode !== 0) throw scriptFailure(scene, answers, { ...result, stderr: redact(result.stderr) })
  return answers
}

/** A restart command may print what it was given. */
function redactionOf(order: FolderOrder | undefined): (text: string) => string {
  const redactor = new Redactor()
  for (const secret of Object.values(order?.secrets ?? {})) redactor.add(secret)
  return redactor.isEmpty ? (text) => text : (text) => redactor.redact(text)
}

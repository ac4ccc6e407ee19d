/** How a `run:` step starts its script. */
export interface ShellPlan {
  /** Program: a name to look up on PATH, or a path. */
  readonly program: string
  /** What the program is called where it does not have that name. */
  readonly otherName?: string
  /** Arguments; `{0}` stands for the script's path. */
  readonly args: readonly string[]
  /** With the dot. */
  readonly extension: string
  /** Text before and after the script of the user. */
  readonly prologue: string
  readonly epilogue: string
}

interface KnownShell {
  readonly otherName?: string
  readonly args: readonly string[]
  readonly extension: string
  readonly prologue?: string
  readonly epilogue?: string
}

const POWERSHELL: KnownShell = {
  args: ['-command', `. '{0}'`],
  extension: '.ps1',
  prologue: `$ErrorActionPreference = 'stop'\n`,
  epilogue: `\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }`,
}

/** The shells that GitHub knows by name, with their exact arguments (actions-semantics 42, 43). */
const knownShells: Readonly<Record<string, KnownShell>> = {
  bash: { args: ['--noprofile', '--norc', '-e', '-o', 'pipefail', '{0}'], extension: '.sh' },
  sh: { args: ['-e', '{0}'], extension: '.sh' },
  // GitHub's machines have it under both names, Debian under the second only.
  python: { args: ['{0}'], extension: '.py', otherName: 'python3' },
  pwsh: POWERSHELL,
  powershell: POWERSHELL,
}

/**
 * The shell of a step. Without `shell:` it is `bash -e {0}`, or `sh -e {0}` where there is no bash (41): fewer flags
 * than `shell: bash`, so a failing command inside a pipe does not fail the step. `undefined` for a text that names no
 * known shell and has no `{0}` (44).
 */
export function planShell(shell: string | undefined, hasBash: boolean): ShellPlan | undefined {
  if (shell === undefined || shell === '') {
    return { program: hasBash ? 'bash' : 'sh', args: ['-e', '{0}'], extension: '.sh', prologue: '', epilogue: '' }
  }
  const known = Object.hasOwn(knownShells, shell.toLowerCase()) ? knownShells[shell.toLowerCase()] : undefined
  if (known !== undefined) {
    const { args, extension, prologue = '', epilogue = '', otherName } = known
    const other = otherName === undefined ? {} : { otherName }
    return { program: shell.toLowerCase(), ...other, args, extension, prologue, epilogue }
  }
  const [program, ...args] = splitWords(shell)
  if (program === undefined || !args.some((arg) => arg.includes('{0}'))) return undefined
  const extension = knownShells[program]?.extension ?? ''
  return { program, args, extension, prologue: '', epilogue: '' }
}

/** The argument vector for a script. */
export function shellArgv(plan: ShellPlan, programPath: string, script: string): readonly string[] {
  return [programPath, ...plan.args.map((arg) => arg.replaceAll('{0}', script))]
}

/** As the log's header shows it: `/usr/bin/bash -e {0}`. */
export function renderShell(plan: ShellPlan, programPath: string): string {
  return [programPath, ...plan.args].join(' ')
}

/** Words of a custom shell; double quotes keep blanks together, as in GitHub's runner. */
function splitWords(text: string): readonly string[] {
  const words: string[] = []
  for (const match of text.matchAll(/(?:[^\s"]|"[^"]*")+/g)) words.push(match[0].replaceAll('"', ''))
  return words
}

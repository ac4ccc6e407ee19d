import * as known from '../known/target.ts'

/** Values that need no quotes anywhere. */
const plain = /^[A-Za-z0-9_@%+=:,./-]*$/

/**
 * Variables as a file that `sh` sources and that dotenv, systemd, docker compose and `node --env-file` read the same way as
 * far as their quoting goes: plain where possible, else in single quotes, and in double quotes only for a value with a
 * single quote in it. Sourcing it in a POSIX shell gives exactly these values. Sorted, so that equal variables are
 * equal files.
 */
export function renderDotenv(variables: Readonly<Record<string, string>>): string {
  const names = Object.keys(variables).toSorted()
  return names.map((name) => `${checkName(name)}=${quote(variables[name] ?? '')}\n`).join('')
}

function checkName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw known.variableNameInvalid({ name })
  return name
}

function quote(value: string): string {
  if (value.includes('\0')) throw new Error('Invariant broken: a variable cannot hold a NUL')
  if (plain.test(value)) return value
  if (!value.includes("'")) return `'${value}'`
  return `"${value.replaceAll(/["$`\\]/g, (character) => `\\${character}`)}"`
}

/** Bytes of a file that a version is read from. */
export const versionFileBytesMax = 1024 * 1024
/** Stands for the version in a pattern of `release.versions`. */
export const versionPlaceholder = '{version}'

const versionText = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}$/

/** A version as a file says it, or what is wrong, with its line where there is one. */
export type ComponentVersion =
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'problem'; readonly problem: string; readonly line?: number }

/**
 * The version that a file of a commit says a component has. The kind of the file follows from its name; with a pattern, a text that holds
 * `{version}`, it is what stands in that place the first time. The file is read, never run: a version that a program computes is a problem.
 */
export function componentVersion(path: string, text: string, pattern?: string): ComponentVersion {
  const found = pattern === undefined ? readerOf(path)(text) : readPattern(text, pattern)
  if (found.kind === 'problem' || versionText.test(found.version)) return found
  return problem(`"${found.version.slice(0, 80)}" is no version`, lineOf(text, found.version))
}

/** `backend` → `BACKEND_VERSION`: the variable of jobs that holds the version of a component. */
export function versionVariable(component: string): string {
  return `${component.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_VERSION`
}

/** What is wrong with a pattern, or undefined. */
export function versionPatternProblem(pattern: string): string | undefined {
  const parts = pattern.split(versionPlaceholder)
  if (parts.length !== 2) return `it must hold ${versionPlaceholder} once`
  if (pattern.includes('\n')) return 'it must be one line'
  return parts[0] === '' ? `something must stand before ${versionPlaceholder}` : undefined
}

/** Whether the name of a file says how its version is written. */
export function isVersionFile(path: string): boolean {
  return readerOf(path) !== readUnknown
}

type Reader = (text: string) => ComponentVersion

function readerOf(path: string): Reader {
  const name = path.split('/').at(-1) ?? ''
  if (name.endsWith('.py')) return readPython
  if (name.endsWith('.json')) return readJson
  if (name === 'Cargo.toml') return (text) => readToml(text, ['package', 'workspace.package'])
  if (name.endsWith('.toml')) return (text) => readToml(text, ['project', 'tool.poetry'])
  if (/^version(?:\.txt)?$/i.test(name)) return readPlain
  if (/^Chart\.ya?ml$/.test(name)) return readChart
  return readUnknown
}

function readUnknown(): ComponentVersion {
  return problem(`nothing is known about files of this kind; say where the version stands with a "pattern"`)
}

/** `__version__ = "1.4.2"`, also with a type, else `VERSION = (1, 4, 2)`. */
function readPython(text: string): ComponentVersion {
  for (const name of ['__version__', 'VERSION', 'version']) {
    const assigned = new RegExp(`^${name}[ \\t]*(?::[^=\\n]{0,80})?=[ \\t]*([^\\n]*)$`, 'm').exec(text)
    if (assigned === null) continue
    const value = (assigned[1] ?? '').trim()
    const quoted = /^(['"])([^'"]*)\1/.exec(value)?.[2]
    if (quoted !== undefined) return { kind: 'version', version: quoted.trim() }
    const numbers = /^\(?(\d+(?:[ \t]*,[ \t]*\d+)+)[ \t]*,?\)?[ \t]*(?:#.*)?$/.exec(value)?.[1]
    if (numbers !== undefined) return { kind: 'version', version: numbers.replaceAll(/[ \t]*,[ \t]*/g, '.') }
    return problem(
      `${name} is no plain text but ${value.slice(0, 60)}, and the file is only read, not run`,
      lineAt(text, assigned.index),
    )
  }
  return problem('it has no line __version__ = "…"')
}

function readJson(text: string): ComponentVersion {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return problem('it is not JSON')
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
  if (typeof version === 'string') return { kind: 'version', version: version.trim() }
  return problem(version === undefined ? 'it has no "version"' : 'its "version" is no text')
}

/** The `version` of the first of these tables that has one. */
function readToml(text: string, tables: readonly string[]): ComponentVersion {
  const found = new Map<string, ComponentVersion>()
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^[ \t]*\[[ \t]*([^\]]+?)[ \t]*\]/.exec(line)?.[1]
    if (header !== undefined) table = header.replaceAll(/[ \t"']/g, '')
    const [, key = '', value = ''] =
      /^[ \t]*(version(?:[ \t]*\.[ \t]*workspace)?|dynamic)[ \t]*=[ \t]*(.*)$/.exec(line) ?? []
    const version = key === 'version' ? /^(['"])([^'"]*)\1/.exec(value)?.[2] : undefined
    if (version !== undefined) found.set(table, { kind: 'version', version: version.trim() })
    else if (key === 'dynamic' && value.includes('version'))
      found.set(table, problem(`the version of [${table}] is dynamic: name the file that holds it`, index + 1))
  }
  const first = tables.map((name) => found.get(name)).find((one) => one !== undefined)
  return first ?? problem(`it has no version = "…" in ${tables.map((name) => `[${name}]`).join(' or ')}`)
}

/** A file that holds nothing else. */
function readPlain(text: string): ComponentVersion {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const [only] = lines
  if (only === undefined) return problem('it is empty')
  return lines.length === 1 ? { kind: 'version', version: only.trim() } : problem('it holds more than one line', 2)
}

function readChart(text: string): ComponentVersion {
  const version = /^version:[ \t]*(['"]?)([^'"\s#]+)\1[ \t]*(?:#.*)?$/m.exec(text)?.[2]
  return version === undefined ? problem('it has no line "version: …"') : { kind: 'version', version }
}

/** No expression but a text with a gap: what a stranger's commit brings must not keep the agent busy. */
function readPattern(text: string, pattern: string): ComponentVersion {
  const wrong = versionPatternProblem(pattern)
  if (wrong !== undefined) return problem(`${pattern} is no pattern: ${wrong}`)
  const [before = '', after = ''] = pattern.split(versionPlaceholder)
  for (let at = text.indexOf(before); at !== -1; at = text.indexOf(before, at + 1)) {
    const start = at + before.length
    const version = /^[0-9A-Za-z.+_-]{1,128}/.exec(text.slice(start, start + 128))?.[0]
    if (version !== undefined && text.startsWith(after, start + version.length)) return { kind: 'version', version }
  }
  return problem(`nothing in it looks like ${pattern}`)
}

function problem(text: string, line?: number): ComponentVersion {
  return { kind: 'problem', problem: text, ...(line === undefined ? {} : { line }) }
}

function lineOf(text: string, part: string): number | undefined {
  const index = text.indexOf(part)
  return index === -1 || part === '' ? undefined : lineAt(text, index)
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** One pattern of a file search, as `actions/upload-artifact` and `hashFiles` take it. */
export interface PathPattern {
  /** True for `!pattern`: it removes what earlier patterns found. */
  readonly isExclusion: boolean
  /** Absolute folder or file to search from: the pattern up to its first wildcard. */
  readonly root: string
  /** Matches an absolute path, or a folder around it: what is below a match is matched, too. */
  readonly expression: RegExp
}

/**
 * Reads patterns, one per line: `*`, `?` and `[…]` stay within a name, `**` crosses folders, `!` excludes, `#` starts a
 * comment. Relative ones start at `base`, `~/` at `home`. A backslash makes the next character plain.
 */
export function parsePathPatterns(
  text: string,
  at: { readonly base: string; readonly home: string },
): readonly PathPattern[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => parsePattern(line, at))
}

/** Whether a path is chosen: the last pattern that matches decides. */
export function isChosen(path: string, patterns: readonly PathPattern[]): boolean {
  let chosen = false
  for (const pattern of patterns) {
    if (chosen === pattern.isExclusion && pattern.expression.test(path)) chosen = !pattern.isExclusion
  }
  return chosen
}

/** The folders to search, without those inside another one. */
export function searchRoots(patterns: readonly PathPattern[]): readonly string[] {
  const roots = [...new Set(patterns.filter((pattern) => !pattern.isExclusion).map((pattern) => pattern.root))]
  return roots.filter((root) => !roots.some((other) => other !== root && isInside(root, other)))
}

/** True when `path` is `folder` or below it. Both absolute and normal. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

/** The deepest folder that holds all paths. */
export function commonFolder(paths: readonly string[]): string {
  const [first = '/', ...rest] = paths
  let parts = first.split('/')
  for (const path of rest) {
    const other = path.split('/')
    const differs = parts.findIndex((part, index) => part !== other[index])
    if (differs !== -1) parts = parts.slice(0, differs)
  }
  return parts.join('/') || '/'
}

/** An absolute path without `.`, `..` and doubled slashes; `..` stops at the top. */
export function normalizePath(path: string, base: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

function parsePattern(line: string, at: { readonly base: string; readonly home: string }): PathPattern {
  const marks = /^!*/.exec(line)?.[0].length ?? 0
  const body = line.slice(marks).trimStart()
  const rooted = body === '~' || body.startsWith('~/') ? at.home + body.slice(1) : body
  const parts = normalizePath(rooted, at.base).slice(1).split('/')
  const wild = parts.findIndex((part) => /[*?[]/.test(part.replaceAll(/\\./g, '')))
  const literal = wild === -1 ? parts : parts.slice(0, wild)
  return {
    isExclusion: marks % 2 === 1,
    root: `/${literal.map((part) => part.replaceAll(/\\(.)/g, '$1')).join('/')}`,
    expression: new RegExp(`^${parts.map(partExpression).join('')}(?:/|$)`, 's'),
  }
}

function partExpression(part: string): string {
  if (part === '**') return '(?:/[^/]+)*'
  let expression = '/'
  for (let index = 0; index < part.length; index += 1) {
    const character = part[index] ?? ''
    if (character === '\\' && index + 1 < part.length) expression += escapeCharacter(part[(index += 1)] ?? '')
    else if (character === '*') expression += '[^/]*'
    else if (character === '?') expression += '[^/]'
    else if (character === '[') {
      const end = part.indexOf(']', index + 2)
      if (end === -1) expression += String.raw`\[`
      else {
        expression += characterClass(part.slice(index + 1, end))
        index = end
      }
    } else expression += escapeCharacter(character)
  }
  return expression
}

function characterClass(body: string): string {
  const isNegated = body.startsWith('!') || body.startsWith('^')
  const members = (isNegated ? body.slice(1) : body).replaceAll(/[\\\]^]/g, String.raw`\$&`)
  return `[${isNegated ? '^/' : ''}${members}]`
}

function escapeCharacter(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character
}

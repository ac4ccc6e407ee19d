/** Patterns that braces of one pattern may expand to. */
const expansionsMax = 1000

/**
 * Whether a name without folders fits a pattern, as `actions/download-artifact` compares artifact names: `*`, `?`, `[…]`,
 * `{a,b}`, `{1..3}`, and the groups `?(…)`, `*(…)`, `+(…)`, `@(…)`. A `!` in front turns it around; a `*` in front matches
 * no dot.
 */
export function fitsNamePattern(name: string, pattern: string): boolean {
  if (pattern.startsWith('#')) return false
  const marks = /^!*(?!\()/.exec(pattern)?.[0].length ?? 0
  const isFitting = expandBraces(pattern.slice(marks)).some((plain) => toExpression(plain).test(name))
  return marks % 2 === 1 ? !isFitting : isFitting
}

/** `a{b,c}d` → `abd`, `acd`; braces without a comma or a range stay as they are. */
function expandBraces(pattern: string): readonly string[] {
  const done: string[] = []
  const waiting = [pattern]
  for (let next = waiting.pop(); next !== undefined && done.length < expansionsMax; next = waiting.pop()) {
    // The innermost braces first: they hold no others.
    const found = /^(.*?)\{([^{}]*(?:,[^{}]*)+|-?\d{1,9}\.\.-?\d{1,9})\}(.*)$/s.exec(next)
    if (found === null) {
      done.push(next)
      continue
    }
    const [, before = '', body = '', after = ''] = found
    for (const choice of choicesOf(body).toReversed()) waiting.push(before + choice + after)
  }
  return done
}

function choicesOf(body: string): readonly string[] {
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(body)
  if (range === null) return body.split(',')
  const [first, last] = [Number(range[1]), Number(range[2])]
  const length = Math.min(Math.abs(last - first) + 1, expansionsMax)
  return Array.from({ length }, (_, index) => String(first < last ? first + index : first - index))
}

function toExpression(pattern: string): RegExp {
  const noDot = /^[*?]/.test(pattern) ? String.raw`(?!\.)` : ''
  let text = ''
  const groups: string[] = []
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index] ?? ''
    const opens = pattern[index + 1] === '('
    const end = character === '[' ? pattern.indexOf(']', index + 2) : -1
    if (/[?*+@]/.test(character) && opens) {
      groups.push(character === '@' ? '' : character)
      text += '(?:'
      index += 1
    } else if (character === ')' && groups.length > 0) text += `)${groups.pop()}`
    else if (character === '|' && groups.length > 0) text += '|'
    else if (character === '*') text += '.*'
    else if (character === '?') text += '.'
    else if (end !== -1) {
      text += characterClass(pattern.slice(index + 1, end))
      index = end
    } else if (character === '\\' && index + 1 < pattern.length) text += escaped(pattern[(index += 1)] ?? '')
    else text += escaped(character)
  }
  return new RegExp(`^${noDot}${text}${')'.repeat(groups.length)}$`, 's')
}

function characterClass(body: string): string {
  const isNegated = body.startsWith('!') || body.startsWith('^')
  const members = (isNegated ? body.slice(1) : body).replaceAll(/[\\\]^[]/g, String.raw`\$&`)
  const text = `[${isNegated ? '^' : ''}${members}]`
  try {
    return new RegExp(text, 's').source
  } catch {
    // A range that runs backwards matches nothing.
    return '(?!)'
  }
}

function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character
}

/** Longest pattern we accept; every realistic one is far shorter. */
export const globLengthMax = 512

/** What is wrong with a pattern, or undefined. Patterns know `*`, `?`, `[a-z]`, `[!a-z]` and `**` between slashes. */
export function globProblem(pattern: string): string | undefined {
  const body = pattern.startsWith('!') ? pattern.slice(1) : pattern
  if (body === '') return 'it is empty'
  if (body.length > globLengthMax) return `it is longer than ${globLengthMax} characters`
  if (body.startsWith('/')) return 'it begins with "/", but it is matched below the root'
  if (body.split('/').includes('..')) return 'it leaves the root with ".."'
  if (body.includes('//')) return 'it has an empty part between two slashes'
  for (const part of body.split('/')) {
    if (/\[[^\]]*$/.test(part)) return 'a "[" has no "]"'
  }
  return undefined
}

/** True when the whole text fits the pattern. `*` and `?` stop at a slash, `**` as a whole part stands for any number of parts. */
export function matchesGlob(pattern: string, text: string): boolean {
  return matchesParts(pattern.split('/'), text.split('/'))
}

/** Table over (pattern part, text part): no pattern is slow, however many `**` it has. */
function matchesParts(pattern: readonly string[], text: readonly string[]): boolean {
  let reachable: boolean[] = [true, ...text.map(() => false)]
  for (const part of pattern) {
    const next: boolean[] = reachable.map(() => false)
    for (let at = 0; at <= text.length; at += 1) {
      if (part === '**') {
        next[at] = reachable[at] === true || (at > 0 && next[at - 1] === true)
      } else {
        next[at] = at > 0 && reachable[at - 1] === true && matchesPart(part, text[at - 1] ?? '')
      }
    }
    reachable = next
  }
  return reachable[text.length] === true
}

/** One part without slashes; on a mismatch only the last `*` takes one character more, which is enough. */
function matchesPart(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star: { pattern: number; text: number } | undefined
  while (t < text.length) {
    const width = p < pattern.length ? matchesOne(pattern, p, text[t] ?? '') : 0
    if (pattern[p] === '*') {
      star = { pattern: p + 1, text: t }
      p += 1
    } else if (width > 0) {
      p += width
      t += 1
    } else if (star !== undefined) {
      star = { pattern: star.pattern, text: star.text + 1 }
      p = star.pattern
      t = star.text
    } else return false
  }
  while (pattern[p] === '*') p += 1
  return p === pattern.length
}

/** Length of the pattern's element at `at` when it accepts the character, else 0. */
function matchesOne(pattern: string, at: number, character: string): number {
  const first = pattern[at]
  if (first === '?') return 1
  if (first !== '[') return first === character ? 1 : 0
  const close = pattern.indexOf(']', at + 2)
  if (close === -1) return 0
  let body = pattern.slice(at + 1, close)
  const negated = body.startsWith('!') || body.startsWith('^')
  if (negated) body = body.slice(1)
  return matchesClass(body, character) === negated ? 0 : close - at + 1
}

function matchesClass(body: string, character: string): boolean {
  for (let index = 0; index < body.length; index += 1) {
    const low = body[index] ?? ''
    if (body[index + 1] === '-' && index + 2 < body.length) {
      if (character >= low && character <= (body[index + 2] ?? '')) return true
      index += 2
    } else if (low === character) return true
  }
  return false
}

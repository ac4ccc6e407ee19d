import { parseSync } from 'rolldown/utils'
import { type SyntaxNode, visit } from './source-file.ts'
import type { Document } from './document.ts'

/** What may not be merged, with the words spelt so that this file does not find itself. */
const refused: readonly (readonly [RegExp, string])[] = [
  [/\b(?:FIX[M]E|XX[X]|HA[C]K)\b/, 'an unfinished place: finish it, or name the issue that will'],
  [/\bTO[D]O\b(?!\(#\d+\)| ?#\d+)/, 'unfinished work that names no issue: write (#12) behind the word'],
  [/\b(?:it|test|describe)\.(?:only|skip|todo)\(/, 'a test that is switched off, or switches the others off'],
]

/** Words and calls that do not belong into merged code. */
export function checkWords(files: readonly Document[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        refused.filter(([pattern]) => pattern.test(line)).map(([, why]) => `${path}:${index + 1}: ${why}`),
      ),
  )
}

/** Names that say that nobody has found the noun yet. */
export function checkFileNames(paths: readonly string[]): readonly string[] {
  return paths
    .filter((path) => /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\.[^/]*)?(?:\/|$)/i.test(path))
    .map((path) => `${path}: the name says nothing; name it after its one idea`)
}

/** Codes of the error catalogue that are not `NOUN_STATE`, not plain text, or made in two places. */
export function checkErrorCodes(catalogue: readonly Document[]): {
  readonly codes: number
  readonly problems: readonly string[]
} {
  const placeOf = new Map<string, string>()
  const problems: string[] = []
  for (const { path, text } of catalogue) {
    for (const code of codesIn(path, text)) {
      const earlier = placeOf.get(code)
      if (earlier !== undefined) problems.push(`${path}: the code ${code} is also in ${earlier}`)
      if (!/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(code)) problems.push(`${path}: the code ${code} is not NOUN_STATE`)
      placeOf.set(code, path)
    }
  }
  return { codes: placeOf.size, problems }
}

function codesIn(path: string, text: string): readonly string[] {
  const codes: string[] = []
  visit(parseSync(path, text, { lang: 'ts' }).program, undefined, (node) => {
    const callee = node['callee'] as SyntaxNode | undefined
    if (node.type !== 'NewExpression' || callee?.['name'] !== 'KnownError') return
    const [init] = node['arguments'] as readonly SyntaxNode[]
    const properties = (init?.['properties'] ?? []) as readonly SyntaxNode[]
    const code = properties.find((property) => (property['key'] as SyntaxNode | undefined)?.['name'] === 'code')
    const value = code?.['value'] as SyntaxNode | undefined
    // `code: reason.code` hands a code on that was made elsewhere, as a value.
    if (value?.type === 'MemberExpression' && (value['property'] as SyntaxNode)['name'] === 'code') return
    codes.push(typeof value?.['value'] === 'string' ? value['value'] : `(computed at ${node.start})`)
  })
  return codes
}

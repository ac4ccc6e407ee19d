/** A Markdown file, by its path below the repository's root. */
export interface Document {
  readonly path: string
  readonly text: string
}

/** Documents without exactly one heading of the first level. */
export function checkHeadings(documents: readonly Document[]): readonly string[] {
  return documents.flatMap(({ path, text }) => {
    const count = withoutCode(text).match(/^# /gm)?.length ?? 0
    return count === 1 ? [] : [`${path} has ${count} headings of the first level instead of one`]
  })
}

/**
 * Relative links to files that are not there, and to headings that the file does not have. `exists` answers for a
 * path below the root.
 */
export function checkLinks(documents: readonly Document[], exists: (path: string) => boolean): readonly string[] {
  const anchors = new Map(documents.map(({ path, text }) => [path, anchorsOf(text)]))
  return documents.flatMap(({ path, text }) =>
    Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)).flatMap(([, link = '']) => {
      if (/^[a-z]+:/i.test(link)) return []
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(path, file)
      if (!exists(target)) return [`${path}: the link ${link} leads nowhere`]
      const known = anchors.get(target)
      if (anchor === undefined || known === undefined || known.has(anchor)) return []
      return [`${path}: ${target} has no heading #${anchor}`]
    }),
  )
}

/** Fenced blocks and code spans say nothing about the document's own structure. */
function withoutCode(text: string): string {
  return text.replaceAll(/^ *(```+|~~~+)[\s\S]*?^ *\1 *$/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The anchors that forges give to headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.matchAll(/^#+ (.+?) *$/gm)
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  )
}

function join(from: string, link: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of link.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

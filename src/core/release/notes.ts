/** A commit as release notes need it. */
export interface NotedCommit {
  readonly sha: string
  readonly author: string
  readonly subject: string
  readonly body: string
}

export interface ReleaseNotes {
  readonly sections: readonly { readonly title: string; readonly commits: readonly NotedCommit[] }[]
  /** Numbers of issues and merge requests that the commits name, without repetition, in order. */
  readonly issues: readonly string[]
}

/** Types of Conventional Commits 1.0.0, in the order of the notes; the rest is "Other changes". */
const sections: readonly (readonly [string, RegExp])[] = [
  ['Breaking changes', /^[a-z]+(?:\([^)]*\))?!:/i],
  ['Features', /^feat(?:\([^)]*\))?:/i],
  ['Fixes', /^fix(?:\([^)]*\))?:/i],
  ['Performance', /^perf(?:\([^)]*\))?:/i],
]
const other = 'Other changes'

/** Sorts commits into sections. A commit that says `BREAKING CHANGE:` in its text is one, whatever its type. */
export function releaseNotes(commits: readonly NotedCommit[]): ReleaseNotes {
  const sorted = new Map<string, NotedCommit[]>()
  for (const commit of commits) {
    const title = sectionOf(commit)
    sorted.set(title, [...(sorted.get(title) ?? []), commit])
  }
  const issues = commits.flatMap(({ subject, body }) => [...`${subject}\n${body}`.matchAll(/(?<![\w/&])#(\d{1,9})\b/g)])
  return {
    sections: [...sections.map(([title]) => title), other].flatMap((title) => {
      const found = sorted.get(title)
      return found === undefined ? [] : [{ title, commits: found }]
    }),
    issues: [...new Set(issues.map(([text]) => text))],
  }
}

function sectionOf({ subject, body }: NotedCommit): string {
  if (/^BREAKING[ -]CHANGE:/m.test(body)) return 'Breaking changes'
  return sections.find(([, pattern]) => pattern.test(subject))?.[0] ?? other
}

/** The notes as Markdown. Text of commits cannot make headings or links of its own. */
export function renderNotes(version: string, since: string | undefined, notes: ReleaseNotes): string {
  const title = `# ${version}\n`
  if (notes.sections.length === 0) return `${title}\nNo commit since ${since ?? 'the beginning'}.\n`
  const parts = notes.sections.map(({ title: name, commits }) => {
    const lines = commits.map(
      ({ sha, subject, author }) => `- ${plain(subject)} (${sha.slice(0, 7)}, ${plain(author)})`,
    )
    return `## ${name}\n\n${lines.join('\n')}\n`
  })
  const issues = notes.issues.length === 0 ? [] : [`Issues: ${notes.issues.join(', ')}\n`]
  return [title, ...(since === undefined ? [] : [`Changes since ${since}.\n`]), ...parts, ...issues].join('\n')
}

function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ').replaceAll(/[\\`*_[\]<>]/g, String.raw`\$&`)
}

/** Every feature that was asked for, by its stable id. */
export const featureIds: readonly string[] = Object.entries({ P: 18, T: 12, J: 20, C: 21, R: 11, N: 13 }).flatMap(
  ([letter, count]) => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
)

/** Rows of `docs/features.md`: "| P1 | what | command | test | state |". */
export interface FeatureRow {
  readonly id: string
  readonly test: string
  readonly state: string
}

export function parseFeatureRows(markdown: string): readonly FeatureRow[] {
  const rows = markdown.matchAll(/^\| *([A-Z]\d+) *\|(.*)\|$/gm)
  return Array.from(rows, ([, id = '', rest = '']) => {
    const cells = rest.split('|').map((cell) => cell.trim())
    return { id, test: cells.at(-2) ?? '', state: cells.at(-1) ?? '' }
  })
}

/** Ids that are missing or doubled, states of another form, and rows that claim something without an existing test. */
export function checkFeatures(rows: readonly FeatureRow[], exists: (path: string) => boolean): readonly string[] {
  const problems = featureIds
    .filter((id) => rows.filter((row) => row.id === id).length !== 1)
    .map((id) => `docs/features.md does not have exactly one row for ${id}`)
  for (const { id, test, state } of rows) {
    if (!featureIds.includes(id)) problems.push(`docs/features.md: nobody asked for ${id}`)
    if (!/^(?:done|not yet|partial: \S.*)$/.test(state)) {
      problems.push(`docs/features.md: the state of ${id} is neither "done", "partial: …" nor "not yet"`)
    }
    const tests = Array.from(test.matchAll(/`([^`]+)`/g), (match) => match[1] ?? '')
    for (const path of tests)
      if (!exists(path)) problems.push(`docs/features.md: the test of ${id} is missing: ${path}`)
    if (state !== 'not yet' && tests.length === 0) problems.push(`docs/features.md: ${id} is "${state}" without a test`)
  }
  return problems
}

/** Packages without a line in the section "Dependencies" of ARCHITECTURE.md, and lines without a package. */
export function checkDependencies(packages: readonly string[], markdown: string): readonly string[] {
  const section = /^#+ .*Dependencies *$([\s\S]*?)(?=^#|$(?![\s\S]))/m.exec(markdown)?.[1]
  if (section === undefined) return ['ARCHITECTURE.md has no section "Dependencies"']
  const explained = Array.from(section.matchAll(/^\| *`([^`]+)` *\|/gm), (match) => match[1] ?? '')
  return [
    ...packages
      .filter((name) => !explained.includes(name))
      .map((name) => `ARCHITECTURE.md does not explain the dependency ${name}`),
    ...explained
      .filter((name) => !packages.includes(name))
      .map((name) => `ARCHITECTURE.md explains ${name}, which is no dependency`),
  ]
}

import { resolveImport } from './import-table.ts'
import type { SourceFile } from './source-file.ts'

/**
 * Cycles of imports, types included: one line for each edge that closes one, `a.ts → b.ts → a.ts`. An `import()` closes none:
 * the table of commands names each command through one, and a command like `completion` reads that table.
 */
export function findCycles(files: readonly SourceFile[]): readonly string[] {
  const importsOf = new Map(files.map((file) => [file.path, targetsOf(file)]))
  const cycles: string[] = []
  const finished = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || finished.has(path)) return
    for (const target of importsOf.get(path) ?? []) walk(target, [...trail, path])
    finished.add(path)
  }
  for (const path of importsOf.keys()) walk(path, [])
  return cycles
}

function targetsOf(file: SourceFile): readonly string[] {
  return file.imports.flatMap(({ specifier, isLazy }) => (isLazy ? [] : (resolveImport(file.path, specifier) ?? [])))
}

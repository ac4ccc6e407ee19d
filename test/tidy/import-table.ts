import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import type { SourceFile } from './source-file.ts'

/** One row of the import table: what a layer may import. */
export interface LayerRule {
  readonly layers: ReadonlySet<string> | 'everything'
  /** True: of its own layer it may import its own folder only. */
  readonly ownFolder: boolean
  readonly builtins: boolean
}

/**
 * The table of ARCHITECTURE.md: rows of the shape "| `cli` | `core`, `cli` | any |". Fails when it finds none, so that
 * moving the table cannot switch the check off.
 */
export function parseImportTable(markdown: string): ReadonlyMap<string, LayerRule> {
  const table = new Map<string, LayerRule>()
  for (const [, layer, allowed, builtins] of markdown.matchAll(/^\| *`(\w+)` *\| *(.+?) *\| *(none|any) *\|$/gm)) {
    if (layer === undefined || allowed === undefined) continue
    const names = Array.from(allowed.matchAll(/`(\w+)`/g), (match) => match[1] ?? '')
    table.set(layer, {
      layers: allowed === 'everything' ? 'everything' : new Set(names),
      ownFolder: allowed.includes('(own folder)'),
      builtins: builtins === 'any',
    })
  }
  if (table.size === 0) throw new Error('ARCHITECTURE.md has no import table.')
  return table
}

/** Every import below `src/` that the table forbids, one line each. */
export function checkImports(files: readonly SourceFile[], table: ReadonlyMap<string, LayerRule>): readonly string[] {
  if (files.length === 0) throw new Error('There is no source file to check.')
  return files.flatMap((file) => {
    const [layer, folder] = place(file.path)
    const rule = table.get(layer)
    if (rule === undefined) return [`${file.path}: the import table does not name the folder src/${layer}`]
    return file.imports.flatMap(({ specifier, line }) => {
      const problem = forbidden({ path: file.path, layer, folder, rule, specifier, table })
      return problem === undefined ? [] : [`${file.path}:${line}: ${problem}`]
    })
  })
}

/** The path below the root that a specifier means, or undefined for a package or a built-in. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  return undefined
}

interface Crossing {
  readonly path: string
  readonly layer: string
  readonly folder: string
  readonly rule: LayerRule
  readonly specifier: string
  readonly table: ReadonlyMap<string, LayerRule>
}

function forbidden({ path, layer, folder, rule, specifier, table }: Crossing): string | undefined {
  if (isBuiltin(specifier)) return rule.builtins ? undefined : `${layer} uses no built-in of Node (${specifier})`
  const target = resolveImport(path, specifier)
  if (target === undefined) return undefined
  if (!target.startsWith('src/')) return `an import leaves src/ (${specifier})`
  const [toLayer, toFolder] = place(target)
  if (!table.has(toLayer)) return `the import table does not name ${toLayer} (${specifier})`
  if (rule.layers !== 'everything' && !rule.layers.has(toLayer))
    return `${layer} may not import ${toLayer} (${specifier})`
  if (rule.ownFolder && toLayer === layer && toFolder !== folder) {
    return `${layer}/${folder} may not import its sibling ${toFolder} (${specifier})`
  }
  return undefined
}

/** `src/adapters/git/clone.ts` → `adapters`, `git`. A file directly in a layer counts as a folder of its own. */
function place(path: string): readonly [layer: string, folder: string] {
  const [, layer = '', folder = ''] = path.split('/')
  return [layer, folder]
}

import type { Plugin } from 'rolldown'
import { parseSync } from 'rolldown/utils'

/**
 * Takes Node's own modules by `process.getBuiltinModule` instead of `import`. An `import` makes a live view of the module and
 * reads every export for that, getters too: `import http from 'node:http'` loads all of undici (25 ms) for `http.WebSocket`,
 * which nobody asked for. The start of `shipway run` is a tenth shorter without.
 */
export const withoutBuiltinImports: Plugin = {
  name: 'without-builtin-imports',
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) if (file.type === 'chunk') file.code = takeBuiltins(file.code)
  },
}

/** The code of one chunk with its imports of `node:` modules rewritten. */
export function takeBuiltins(code: string): string {
  let rewritten = code
  for (const node of parseSync('chunk.js', code, { lang: 'js' }).program.body.toReversed()) {
    if (node.type !== 'ImportDeclaration' || !node.source.value.startsWith('node:')) continue
    const module = `process.getBuiltinModule(${JSON.stringify(node.source.value)})`
    const named: string[] = []
    const whole: string[] = []
    for (const specifier of node.specifiers) {
      const { name } = specifier.local
      const imported = specifier.type === 'ImportSpecifier' ? exportName(specifier.imported) : 'default'
      if (imported === 'default') whole.push(`${name}=${module}`)
      else named.push(`${imported}:${name}`)
    }
    const bindings = named.length === 0 ? whole : [...whole, `{${named.join(',')}}=${module}`]
    const replacement = bindings.length === 0 ? '' : `const ${bindings.join(',')};`
    rewritten = rewritten.slice(0, node.start) + replacement + rewritten.slice(node.end)
  }
  return rewritten
}

function exportName(node: { readonly type: string; readonly name?: string; readonly value?: unknown }): string {
  return node.name ?? JSON.stringify(node.value)
}

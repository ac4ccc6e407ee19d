import { registerHooks } from 'node:module'

/**
 * Lets GitHub's workflow parser load in plain Node: it imports two JSON files without `with { type: 'json' }`, which
 * Node refuses. Import this file first in an entry point that runs from source; a bundle and vitest do not need it.
 * Only JSON below `@actions/` is touched.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const isTheirs = specifier.endsWith('.json') && context.parentURL?.includes('/node_modules/@actions/') === true
    if (!isTheirs) return nextResolve(specifier, context)
    return {
      ...nextResolve(specifier, { ...context, importAttributes: { type: 'json' } }),
      importAttributes: { type: 'json' },
    }
  },
})

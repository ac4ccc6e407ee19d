import type { Rule } from './rule.ts'

/**
 * `new KnownError(…)` outside the catalogue. All wording is reviewed in one place, and a code has one meaning, only
 * while each code is made by one function in `src/core/known/`. The configuration says which files may.
 */
export const errorInCatalogue: Rule = {
  create: (context) => ({
    NewExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'KnownError') return
      context.report({ node, message: 'Make this error by a function in src/core/known/, one per code.' })
    },
  }),
}

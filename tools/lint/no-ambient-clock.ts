import type { Rule } from './rule.ts'

/** Objects and the members of them that answer differently each time. */
const ambient: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  Math: ['random'],
  performance: ['now', 'timeOrigin'],
  crypto: ['randomUUID', 'getRandomValues'],
}

/**
 * The time of day and chance, taken from the air: `Date.now()`, `new Date()`, `Math.random()`. In the pure layers both
 * come in as arguments, so that a decision can be replayed. `new Date(value)` and `Date.parse(text)` are conversions.
 */
export const noAmbientClock: Rule = {
  create(context) {
    const message = 'Time and chance come in as arguments here (ports/clock.ts, ports/ids.ts).'
    return {
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
        if (ambient[node.object.name]?.includes(node.property.name) === true) context.report({ node, message })
      },
      NewExpression(node) {
        if (isDate(node.callee) && node.arguments.length === 0) context.report({ node, message })
      },
      CallExpression(node) {
        if (isDate(node.callee)) context.report({ node, message })
      },
    }
  },
}

function isDate(callee: { readonly type: string; readonly name?: unknown }): boolean {
  return callee.type === 'Identifier' && callee.name === 'Date'
}

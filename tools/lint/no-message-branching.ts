import type { Rule } from './rule.ts'

const comparisons = new Set(['==', '===', '!=', '!=='])
const textTests = new Set(['includes', 'startsWith', 'endsWith', 'match', 'search', 'indexOf'])
/** What people call a caught value; a commit or a chat may well be asked for its message. */
const errorName = /^(?:e|ex|err|error|exception|cause)$|(?:Error|Cause)$/

/**
 * Decisions by the text of an error: `error.message === '…'`, `.includes('…')`, `/…/.test(error.message)`,
 * `switch (error.message)`. The text is for people and changes; `code` and `kind` do not.
 */
export const noMessageBranching: Rule = {
  create(context) {
    const refuse = (node: Node) =>
      context.report({ node, message: 'Decide by `code` or `kind`: the message is for people and changes.' })
    return {
      BinaryExpression(node) {
        if (comparisons.has(node.operator) && [node.left, node.right].some(isErrorMessage)) refuse(node)
      },
      SwitchStatement(node) {
        if (isErrorMessage(node.discriminant)) refuse(node)
      },
      CallExpression(node) {
        const { callee } = node
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return
        const asked = callee.property.name === 'test' ? node.arguments[0] : callee.object
        const isTest = callee.property.name === 'test' || textTests.has(callee.property.name)
        // The full stop of a sentence is not its meaning.
        const [text] = node.arguments
        const isPunctuation = text?.type === 'Literal' && typeof text.value === 'string' && !/[a-z]/i.test(text.value)
        if (isTest && !isPunctuation && asked !== undefined && isErrorMessage(asked)) refuse(node)
      },
    }
  },
}

type Node = NonNullable<Extract<Parameters<Parameters<Rule['create']>[0]['report']>[0], { node?: unknown }>['node']>

function isErrorMessage(node: object): boolean {
  const expression = node as {
    type: string
    expression?: object
    object?: object
    property?: { name?: string }
    name?: string
  }
  if (expression.type === 'ChainExpression' && expression.expression !== undefined)
    return isErrorMessage(expression.expression)
  if (expression.type !== 'MemberExpression' || expression.property?.name !== 'message') return false
  return errorName.test(nameOf(expression.object))
}

/** The last name of an expression: `error` of `error`, `cause` of `failure.cause`, `e` of `(e as Error)`. */
function nameOf(node: object | undefined): string {
  if (node === undefined) return ''
  const expression: { name?: string; property?: object; expression?: object } = node
  return expression.name ?? nameOf(expression.property ?? expression.expression)
}

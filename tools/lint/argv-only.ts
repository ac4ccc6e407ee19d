import type { Rule } from './rule.ts'

const shellFunctions = new Set(['exec', 'execSync'])
const spawnFunctions = new Set(['spawn', 'spawnSync', 'execFile', 'execFileSync', 'fork'])

/**
 * A command as one string that a shell takes apart: `exec`, `execSync`, and `spawn` with `shell`. Programs are started
 * with an array of arguments, so that no value can become a command. (A workflow's `run:` is a file given to `bash`.)
 */
export const argvOnly: Rule = {
  create: (context) => ({
    ImportDeclaration(node) {
      if (!/^(?:node:)?child_process$/.test(node.source.value)) return
      for (const specifier of node.specifiers) {
        const { imported } = specifier as { imported?: { name?: string } }
        if (imported?.name !== undefined && shellFunctions.has(imported.name)) {
          context.report({
            node: specifier,
            message: `\`${imported.name}\` goes through a shell: use execFile or spawn with an array.`,
          })
        }
      }
    },
    CallExpression(node) {
      if (!spawnFunctions.has(calledName(node.callee))) return
      for (const argument of node.arguments) {
        if (argument.type !== 'ObjectExpression') continue
        const shell = argument.properties.find(
          (property) => property.type === 'Property' && keyOf(property.key) === 'shell',
        )
        if (shell?.type !== 'Property') continue
        if (shell.value.type === 'Literal' && shell.value.value === false) continue
        context.report({ node: shell, message: 'No `shell`: give the program an array of arguments.' })
      }
    },
  }),
}

function calledName(callee: object): string {
  const { name, property } = callee as { name?: string; property?: { name?: string } }
  return name ?? property?.name ?? ''
}

function keyOf(key: object): unknown {
  const { name, value } = key as { name?: string; value?: unknown }
  return name ?? value
}

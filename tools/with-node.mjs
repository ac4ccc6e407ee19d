// Runs a command with the Node that this project pins: `node tools/with-node.mjs vitest run`.
//
// npm scripts start under whatever Node the machine has, and only this file must run there (Node 20 and later, plain
// JavaScript). It puts the pinned Node and node_modules/.bin first in PATH, which also reaches every process that the
// command starts. A command that ends in .ts or .mjs is given to Node; any other is looked up in PATH.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node')
const [command, ...args] = process.argv.slice(2)

if (command === undefined) {
  stop('with-node: no command given.', 'usage: node tools/with-node.mjs COMMAND [ARGUMENT…]')
}
try {
  accessSync(pinnedNode, constants.X_OK)
} catch {
  stop(
    `The Node that this project pins is not at ${pinnedNode}.`,
    'fix: run `npm ci` without --ignore-scripts (a script of the package `node` puts it there).',
  )
}

const path = [dirname(pinnedNode), join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter)
const [file, argv] = /\.(?:ts|mjs)$/.test(command) ? [pinnedNode, [command, ...args]] : [command, args]
const child = spawn(file, argv, { stdio: 'inherit', env: { ...process.env, PATH: path } })

// A terminal sends Ctrl-C to the whole group: the command decides, and this process only waits for it.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))

child.on('error', (error) => stop(`with-node: cannot start ${command}: ${error.message}`))
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})

function stop(...lines) {
  process.stderr.write(`error: ${lines.join('\n  ')}\n`)
  process.exit(2)
}

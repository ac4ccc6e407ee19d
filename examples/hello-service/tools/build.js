// Puts what production needs into dist/, and nothing else: `node tools/build.js`. There is nothing to compile.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const shipped = ['package.json', 'server.js', 'lib', 'ops']

rmSync(join(root, 'dist'), { recursive: true, force: true })
mkdirSync(join(root, 'dist'))
for (const name of shipped) cpSync(join(root, name), join(root, 'dist', name), { recursive: true })
console.log(`dist/ holds ${shipped.join(', ')}`)

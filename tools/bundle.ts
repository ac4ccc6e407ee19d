/*
 * `npm run bundle`: makes `dist/`, the part of the npm package that runs. A bundle is needed because Node does not strip
 * types below node_modules; it also makes the start fast. Development never uses it.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type OutputChunk, type Plugin, rolldown } from 'rolldown'
import { withoutBuiltinImports } from './bundle-builtins.ts'
import { planChunks } from './bundle-chunks.ts'
import { collectLicences } from './bundle-licences.ts'
import { withoutSchemaCheck } from './bundle-schema.ts'

const root = join(import.meta.dirname, '..')

/** Programs of the package: `dist/<name>.js` from `src/main/<name>.ts`. */
const entryNames = ['shipway', 'runner', 'matcher'] as const

/** Name of each program → absolute path of its source. */
export const packageEntries: Readonly<Record<string, string>> = Object.fromEntries(
  entryNames.map((name) => [name, join(root, 'src/main', `${name}.ts`)]),
)

export interface BundleRequest {
  /** Name of the program → absolute path of its source. */
  readonly entries: Readonly<Record<string, string>>
  readonly folder: string
}

/**
 * Bundles programs with everything they need from node_modules. What is imported with `import()` stays a file of its own,
 * read when it is asked for, so a command pays only for what it uses.
 */
export async function makeBundle({ entries, folder }: BundleRequest): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    input: { ...entries },
    cwd: root,
    platform: 'node',
    external: ['pg-native', 'cloudflare:sockets'],
    preserveEntrySignatures: 'allow-extension',
    // How long the build takes on a busy machine is no fault of it.
    checks: { bundlerTimings: false },
    plugins: [withoutSourceHooks, withoutSchemaCheck, withoutBuiltinImports],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`The bundler warns: ${log.message}`)
    },
  })
  await rm(folder, { recursive: true, force: true })
  let plan: ReadonlyMap<string, string> | undefined
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    minify: true,
    comments: false,
    entryFileNames: '[name].js',
    // Beside the programs: src/main/ becomes dist/, so a path relative to a file of main/ keeps its meaning.
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          debugName: 'loaded together',
          name: (module, graph) => {
            plan ??= planChunks(entries, (id) => graph.getModuleInfo(id))
            return plan.get(module) ?? null
          },
        },
      ],
    },
  })
  await build.close()
  return output.filter((file) => file.type === 'chunk')
}

/** JSON is part of the bundle, so the hook that lets Node import it from source has nothing to do. */
const withoutSourceHooks: Plugin = {
  name: 'without-source-hooks',
  load: { filter: { id: /\/src\/main\/register-json\.ts$/ }, handler: () => 'export {}' },
}

if (import.meta.main) {
  const folder = join(root, 'dist')
  const missing = Object.values(packageEntries).filter((path) => !existsSync(path))
  if (missing.length > 0) throw new Error(`There is nothing to bundle at ${missing.join(', ')}`)

  const chunks = await makeBundle({ entries: packageEntries, folder })
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  await writeFile(join(folder, 'LICENSES.txt'), await collectLicences(chunks.flatMap((chunk) => chunk.moduleIds)))
  for (const chunk of chunks) {
    const bytes = (await readFile(join(folder, chunk.fileName))).length
    console.log(`${String(Math.ceil(bytes / 1024)).padStart(6)} KiB  ${relative(root, join(folder, chunk.fileName))}`)
  }
}

import { exists, textIn } from './detected-project.ts'
import type { DetectedArtifact, DetectedProject, DetectedStep } from './detected-project.ts'

interface PackageJson {
  readonly name?: unknown
  readonly packageManager?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly dependencies?: object
  readonly devDependencies?: object
}

/** Builders of sites, and the folder that they build into: that folder alone is the release. */
const siteFolders: Readonly<Record<string, string>> = {
  'react-scripts': 'build',
  '@11ty/eleventy': '_site',
  gatsby: 'public',
  astro: 'dist',
  parcel: 'dist',
  vite: 'dist',
}
/** They build into a hidden folder, and serve from it. */
const hiddenBuilders = ['next', 'nuxt']

/** A project with a package.json, whichever program manages its packages. */
export async function detectNode(directory: string, fallback: string): Promise<DetectedProject | undefined> {
  const manifest = readManifest(await textIn(directory, 'package.json'))
  if (manifest === undefined) return undefined
  const tool = await packageManager(directory, manifest)
  const packages = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  const has = (script: string): boolean => hasScript(manifest, script)
  const steps: DetectedStep[] = []
  if (packages.length > 0 || tool.hasLockfile) steps.push({ name: 'Install', run: tool.install })
  if (has('lint')) steps.push({ name: 'Lint', run: `${tool.program} run lint` })
  steps.push({ name: 'Test', run: has('test') ? `${tool.program} test` : 'node --test' })
  if (has('build')) steps.push({ name: 'Build', run: `${tool.program} run build` })
  const name =
    typeof manifest.name === 'string' ? manifest.name.replace(/^@[^/]*\//, '').replaceAll(/[^A-Za-z0-9._-]+/g, '-') : ''
  return {
    kind: 'node',
    name: /^[A-Za-z0-9]/.test(name) ? name : fallback,
    because: `package.json${has('test') ? ' with a test script' : ''}`,
    steps,
    ...(has('build') ? { artifact: artifactOf(packages, has('start')) } : {}),
  }
}

function artifactOf(packages: readonly string[], isServer: boolean): DetectedArtifact {
  const builder = Object.keys(siteFolders).find((candidate) => packages.includes(candidate))
  if (builder !== undefined && (!isServer || builder === 'react-scripts'))
    return { paths: [siteFolders[builder] ?? 'dist'] }
  const paths = ['.', '!.git', '!node_modules', '!**/node_modules']
  return packages.some((name) => hiddenBuilders.includes(name)) ? { paths, isHidden: true } : { paths }
}

interface PackageManager {
  readonly program: string
  readonly install: string
  readonly hasLockfile: boolean
}

async function packageManager(directory: string, manifest: PackageJson): Promise<PackageManager> {
  const named =
    typeof manifest.packageManager === 'string' ? /^(pnpm|yarn|bun)@(\d+)/.exec(manifest.packageManager) : null
  const [, program, major = '0'] = named ?? []
  if (program === 'pnpm' || (await exists(directory, 'pnpm-lock.yaml'))) {
    const hasLockfile = await exists(directory, 'pnpm-lock.yaml')
    return manager('pnpm', `pnpm install${hasLockfile ? ' --frozen-lockfile' : ''}`, hasLockfile)
  }
  if (program === 'yarn' || (await exists(directory, 'yarn.lock'))) {
    const lock = await textIn(directory, 'yarn.lock')
    const hasLockfile = await exists(directory, 'yarn.lock')
    // Yarn 2 and later write their lockfile as YAML, and have another name for the flag.
    const isModern = Number(major) > 1 || lock.includes('__metadata:')
    const frozen = isModern ? '--immutable' : '--frozen-lockfile'
    return manager('yarn', `yarn install${hasLockfile ? ` ${frozen}` : ''}`, hasLockfile)
  }
  if (await exists(directory, 'package-lock.json')) return { program: 'npm', install: 'npm ci', hasLockfile: true }
  return { program: 'npm', install: 'npm install --no-audit --no-fund', hasLockfile: false }
}

/** Corepack comes with Node and fetches the others; where they are installed nothing is to be done. */
function manager(program: 'pnpm' | 'yarn', install: string, hasLockfile: boolean): PackageManager {
  return { program, install: `command -v ${program} || corepack enable ${program}\n${install}`, hasLockfile }
}

function hasScript({ scripts = {} }: PackageJson, script: string): boolean {
  const text = scripts[script]
  return typeof text === 'string' && !text.includes('no test specified')
}

function readManifest(text: string): PackageJson | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

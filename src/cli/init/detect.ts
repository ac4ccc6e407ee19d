import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { detectGo, detectRust } from './detect-compiled.ts'
import { detectNode } from './detect-node.ts'
import { detectPython } from './detect-python.ts'
import { exists } from './detected-project.ts'
import type { DetectedProject, Detector } from './detected-project.ts'

/** The first that fits wins. */
const detectors: readonly Detector[] = [
  detectNode,
  detectPython,
  detectGo,
  detectRust,
  detectMake,
  detectDocker,
  detectStatic,
]

/** Looks at the files of a folder; one that fits nothing is `plain`. */
export async function detectProject(directory: string): Promise<DetectedProject> {
  const name =
    basename(directory)
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-._]+/, '') || 'app'
  for (const detect of detectors) {
    const found = await detect(directory, name)
    if (found !== undefined) return found
  }
  return {
    kind: 'plain',
    name,
    because: 'no package.json, pyproject.toml, go.mod, Cargo.toml, Makefile, Dockerfile or index.html',
    steps: [{ name: 'Check', run: 'git log -1 --oneline # put your tests here' }],
  }
}

async function detectMake(directory: string, name: string): Promise<DetectedProject | undefined> {
  const file = (await readdir(directory).catch(() => [])).find((entry) => /^(?:GNUm|M|m)akefile$/.test(entry))
  if (file === undefined) return undefined
  const targets = new Set(
    [...(await readFile(join(directory, file), 'utf8')).matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)/gm)].map(
      (match) => match[1],
    ),
  )
  const target = ['test', 'check', 'all'].find((candidate) => targets.has(candidate))
  return {
    kind: 'make',
    name,
    because: file,
    steps: [{ name: 'Test', run: target === undefined ? 'make' : `make ${target}` }],
  }
}

async function detectDocker(directory: string, name: string): Promise<DetectedProject | undefined> {
  for (const file of ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']) {
    if (await exists(directory, file))
      return { kind: 'docker', name, because: file, steps: [{ name: 'Build', run: `docker compose -f ${file} build` }] }
  }
  if (!(await exists(directory, 'Dockerfile'))) return undefined
  return {
    kind: 'docker',
    name,
    because: 'Dockerfile',
    steps: [{ name: 'Build', run: `docker build --tag ${imageName(name)}:\${{ github.sha }} .` }],
  }
}

/** Docker takes lower case, and one separator between letters and digits. */
function imageName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[._-]+/g, '-')
    .replace(/-$/, '')
}

/** Pages that are served as they are. */
async function detectStatic(directory: string, name: string): Promise<DetectedProject | undefined> {
  for (const folder of ['', 'public', 'site', 'docs']) {
    const page = folder === '' ? 'index.html' : `${folder}/index.html`
    if (!(await exists(directory, page))) continue
    const steps = [{ name: 'Check', run: `test -s ${page}` }]
    return { kind: 'static', name, because: page, steps, ...(folder === '' ? {} : { artifact: { paths: [folder] } }) }
  }
  return undefined
}

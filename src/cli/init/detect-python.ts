import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, textIn } from './detected-project.ts'
import type { DetectedProject, DetectedStep } from './detected-project.ts'

const manifests = ['pyproject.toml', 'requirements.txt', 'setup.py', 'setup.cfg']

/** A project of Python: with uv where its lockfile is, else in a virtual environment of its own. */
export async function detectPython(directory: string, name: string): Promise<DetectedProject | undefined> {
  const texts = new Map<string, string>()
  for (const file of manifests) if (await exists(directory, file)) texts.set(file, await textIn(directory, file))
  const [first] = texts.keys()
  if (first === undefined) return undefined
  const usesPytest = [...texts.values()].some((text) => /\bpytest\b/.test(text))
  const test = usesPytest ? '-m pytest' : await standardTest(directory)
  if (await exists(directory, 'uv.lock')) {
    const run = usesPytest ? 'uv run pytest' : `uv run python ${test}`
    const steps = [
      { name: 'Install', run: 'uv sync --locked' },
      { name: 'Test', run },
    ]
    return { kind: 'python', name, because: 'uv.lock', steps }
  }
  const packages = installOf(texts)
  const install: readonly DetectedStep[] =
    packages === undefined ? [] : [{ name: 'Install', run: `python3 -m venv .venv\n.venv/bin/pip install ${packages}` }]
  const python = packages === undefined ? 'python3' : '.venv/bin/python'
  return { kind: 'python', name, because: first, steps: [...install, { name: 'Test', run: `${python} ${test}` }] }
}

/** What `pip install` is to be told; undefined when nothing has to be installed. */
function installOf(texts: ReadonlyMap<string, string>): string | undefined {
  const requirements = texts.get('requirements.txt')
  if (requirements !== undefined) return /^\s*[^\s#]/m.test(requirements) ? '-r requirements.txt' : undefined
  const isPackage = texts.has('setup.py') || /^\[(?:project|build-system)\]/m.test(texts.get('pyproject.toml') ?? '')
  return isPackage ? '.' : undefined
}

/** The standard library's runner ends red when it finds no test: then the sources are at least compiled. */
async function standardTest(directory: string): Promise<string> {
  for (const folder of ['tests', 'test']) {
    if (await holdsTests(join(directory, folder))) return `-m unittest discover -s ${folder}`
  }
  if (await holdsTests(directory)) return '-m unittest discover'
  return String.raw`-m compileall -q -x '/\.venv/' .`
}

async function holdsTests(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).some((name) => /^test.*\.py$/.test(name))
}

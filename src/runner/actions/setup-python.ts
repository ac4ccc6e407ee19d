import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newestIn, pythonRange } from '#core/action/tool-version.ts'
import { toolMissing, toolVersionInvalid } from '#core/known/tool.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { findTools, readVersionFile, toolCachePlaces, warnOfUnused } from './installed-tool.ts'
import type { InstalledTool, ToolPlaces } from './installed-tool.ts'
import { planPythonCache } from './python-cache.ts'
import { restoreDependencies, saveDependencies } from './setup-cache.ts'
import { pythonMatchers } from './setup-matcher.ts'

/** Minor versions of Python 3 that may be on PATH as `python3.<n>`. */
const minorMax = 20

/** Chooses among the versions of Python that are on this machine. Nothing is downloaded. */
export const setupPython: BuiltInAction = {
  name: 'actions/setup-python',
  inputs: {
    'python-version': undefined,
    'python-version-file': undefined,
    architecture: undefined,
    'check-latest': 'false',
    token: undefined,
    cache: undefined,
    'cache-dependency-path': undefined,
    'update-environment': 'true',
    'allow-prereleases': 'false',
    freethreaded: 'false',
    'pip-version': undefined,
    'pip-install': undefined,
  },
  async run(context: ActionContext): Promise<void> {
    const tools = await findTools(context, placesOf(context))
    const tool = choose(context, tools)
    const program = context.inputs.boolean('update-environment') ? enter(context, tool) : tool.program
    context.print([`Use Python ${tool.version} (${tool.program})`])
    context.setOutput('python-version', tool.version)
    context.setOutput('python-path', program)
    context.setOutput('cache-hit', 'false')
    warnOfUnused(context, { freethreaded: ['', 'false'], 'pip-version': [''], 'pip-install': [''] })
    context.addMatchers(pythonMatchers)
    const cache = context.inputs.text('cache')
    if (cache !== '') await restoreDependencies(context, await planPythonCache(context, cache, tool.version))
  },
  post: saveDependencies,
  postIf: 'success()',
}

function placesOf(context: ActionContext): ToolPlaces {
  const minors = Array.from({ length: minorMax }, (_, minor) => `python3.${minor}`)
  const versions = [
    { folder: '~/.pyenv/versions', program: 'bin/python' },
    { folder: '~/.asdf/installs/python', program: 'bin/python' },
    { folder: '~/.local/share/mise/installs/python', program: 'bin/python' },
    { folder: '~/.local/share/uv/python', program: 'bin/python3' },
  ]
  return {
    programs: ['python3', 'python', ...minors],
    versions: [...toolCachePlaces(context, 'Python'), ...toolCachePlaces(context, 'python'), ...versions],
  }
}

/** Of several versions the first one is the answer, in any order of preference; without one, `.python-version`, else what is on PATH. */
function choose(context: ActionContext, tools: readonly InstalledTool[]): InstalledTool {
  const { inputs } = context
  const file = inputs.text('python-version-file')
  const isFileThere = existsSync(join(context.order.paths.workspace, '.python-version'))
  const fallback = isFileThere ? readVersionFile(context, '.python-version', 'python') : ''
  const written = inputs.text('python-version') || (file === '' ? fallback : readVersionFile(context, file, 'python'))
  if (written === '') {
    const own = tools.find(({ program }) => program === context.findProgram('python3')) ?? tools[0]
    if (own === undefined) throw toolMissing({ tool: 'Python', wanted: '(any version)', found: [] })
    return own
  }
  const wanted = written
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  let chosen: InstalledTool | undefined
  for (const version of wanted) {
    const range = pythonRange(version)
    if (range === undefined) {
      throw toolVersionInvalid({ action: context.action, input: 'python-version', value: version })
    }
    const tool = newestIn(tools, range)
    if (tool === undefined) throw toolMissing({ tool: 'Python', wanted: version, found: tools })
    // All of them must be there; the last one is `python`, as GitHub does.
    chosen = tool
  }
  if (chosen === undefined) throw toolMissing({ tool: 'Python', wanted: written, found: tools })
  return chosen
}

/** Makes it `python` and `python3` of the steps that follow. Debian's has no `python`, so names of our own stand before PATH. */
function enter(context: ActionContext, { version, program }: InstalledTool): string {
  const folder = join(context.temp, '_python', version)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const minor = version.split('.').slice(0, 2).join('.')
  for (const name of ['python', 'python3', `python${minor}`]) {
    const link = join(folder, name)
    if (!existsSync(link)) symlinkSync(program, link)
  }
  const root = dirname(dirname(program))
  context.addPath(dirname(program))
  context.addPath(folder)
  context.setVariable('pythonLocation', root)
  context.setVariable('Python_ROOT_DIR', root)
  context.setVariable('Python3_ROOT_DIR', root)
  return join(folder, 'python')
}

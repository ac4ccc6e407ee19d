import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newestIn, nodeRange } from '#core/action/tool-version.ts'
import { toolMissing, toolVersionInvalid } from '#core/known/tool.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { findTools, readVersionFile, toolCachePlaces, warnOfUnused } from './installed-tool.ts'
import type { InstalledTool, ToolPlaces } from './installed-tool.ts'
import { planNodeCache } from './node-cache.ts'
import { restoreDependencies, saveDependencies } from './setup-cache.ts'
import { nodeMatchers } from './setup-matcher.ts'

/** Chooses among the versions of Node that are on this machine. Nothing is downloaded. */
export const setupNode: BuiltInAction = {
  name: 'actions/setup-node',
  inputs: {
    'node-version': undefined,
    'node-version-file': undefined,
    architecture: undefined,
    'check-latest': 'false',
    'registry-url': undefined,
    scope: undefined,
    token: undefined,
    'always-auth': undefined,
    cache: undefined,
    'package-manager-cache': undefined,
    'cache-dependency-path': undefined,
    mirror: undefined,
    'mirror-token': undefined,
  },
  async run(context: ActionContext): Promise<void> {
    const tools = await findTools(context, placesOf(context))
    const tool = choose(context, tools)
    context.addPath(dirname(tool.program))
    context.print([`Use Node ${tool.version} (${tool.program})`])
    if (context.inputs.text('registry-url') !== '') writeRegistry(context)
    context.setOutput('node-version', `v${tool.version}`)
    context.setOutput('cache-hit', 'false')
    warnOfUnused(context, { 'package-manager-cache': ['', 'false'], mirror: [''], 'mirror-token': [''] })
    context.addMatchers(nodeMatchers)
    const cache = context.inputs.text('cache')
    if (cache !== '') await restoreDependencies(context, await planNodeCache(context, cache))
  },
  post: saveDependencies,
  postIf: 'success()',
}

function placesOf(context: ActionContext): ToolPlaces {
  const versions = [
    { folder: '~/.nvm/versions/node', program: 'bin/node' },
    { folder: '~/.local/share/fnm/node-versions', program: 'installation/bin/node' },
    { folder: '~/.local/share/mise/installs/node', program: 'bin/node' },
    { folder: '~/.asdf/installs/nodejs', program: 'bin/node' },
    { folder: '~/.volta/tools/image/node', program: 'bin/node' },
    { folder: '/usr/local/n/versions/node', program: 'bin/node' },
  ]
  return { programs: ['node', 'nodejs'], versions: [...toolCachePlaces(context, 'node'), ...versions] }
}

/** Without a version the one on PATH is taken as it is, as GitHub does. */
function choose(context: ActionContext, tools: readonly InstalledTool[]): InstalledTool {
  const { inputs } = context
  const file = inputs.text('node-version-file')
  const written = inputs.text('node-version') || (file === '' ? '' : readVersionFile(context, file, 'node'))
  if (written === '') {
    const own = tools.find(({ program }) => program === context.findProgram('node')) ?? tools[0]
    if (own === undefined) throw toolMissing({ tool: 'Node', wanted: '(any version)', found: [] })
    return own
  }
  const range = nodeRange(written)
  if (range === undefined) {
    throw toolVersionInvalid({ action: context.action, input: 'node-version', value: written })
  }
  const tool = newestIn(tools, range)
  if (tool === undefined) throw toolMissing({ tool: 'Node', wanted: written, found: tools })
  return tool
}

/** `.npmrc` for the registry that packages come from or go to; the token stays in a variable. */
function writeRegistry(context: ActionContext): void {
  const { inputs } = context
  const url = new URL(inputs.text('registry-url'))
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`
  const scope = inputs.text('scope').toLowerCase()
  const prefix = scope === '' ? '' : `${scope.startsWith('@') ? scope : `@${scope}`}:`
  const file = join(context.temp, '.npmrc')
  const token = '${NODE_AUTH_TOKEN}'
  const text = `//${url.host}${path}:_authToken=${token}\n${prefix}registry=${url.origin}${path}\n`
  writeFileSync(file, text, { mode: 0o600 })
  context.setVariable('NPM_CONFIG_USERCONFIG', context.inside(file))
  if (context.variable('NODE_AUTH_TOKEN') === undefined) {
    // npm fails on a file that names a variable which is not there, also where no token is needed.
    context.setVariable('NODE_AUTH_TOKEN', 'XXXXX-XXXXX-XXXXX-XXXXX')
  }
}

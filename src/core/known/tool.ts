import { KnownError } from '../errors.ts'

/** No installed version of a tool is the one that a workflow asks for. */
export function toolMissing(fact: {
  tool: string
  wanted: string
  found: readonly { readonly version: string; readonly program: string }[]
}): KnownError {
  const found =
    fact.found.length === 0 ? 'none' : fact.found.map(({ version, program }) => `${version} (${program})`).join(', ')
  return new KnownError({
    code: 'TOOL_MISSING',
    kind: 'usage',
    message: `${fact.tool} ${fact.wanted} is not installed on this machine (found: ${found}).`,
    hint: 'Install it with the tool that you use (nvm, fnm, asdf, mise, pyenv, uv, the system), or ask for one that is there. Nothing is downloaded.',
  })
}

/** What a workflow asks for is no version. */
export function toolVersionInvalid(fact: { action: string; input: string; value: string }): KnownError {
  return new KnownError({
    code: 'TOOL_VERSION_INVALID',
    kind: 'usage',
    message: `${fact.action}: the version "${fact.value}" of "${fact.input}" cannot be understood.`,
    hint: 'Write a version or a range: 20, 20.x, >=18 <21, lts/*, 3.12.',
  })
}

/** A version file is not there, or says nothing. */
export function toolFileInvalid(fact: { action: string; file: string }): KnownError {
  return new KnownError({
    code: 'TOOL_FILE_INVALID',
    kind: 'usage',
    message: `${fact.action}: the version file ${fact.file} is not there, or names no version.`,
    hint: 'It is relative to the workspace: did `uses: actions/checkout@v4` run before?',
  })
}

/** The tool is looked for on this machine, but the steps run in a container. */
export function toolInContainer(fact: { action: string }): KnownError {
  return new KnownError({
    code: 'TOOL_IN_CONTAINER',
    kind: 'usage',
    message: `${fact.action} chooses among the versions on this machine, and the steps of this job run in a container.`,
    hint: 'Use an image that has the version, and take the step out.',
  })
}

/** The files that the key of a cache is made of are not there. */
export function lockFilesMissing(fact: { action: string; workspace: string; patterns: readonly string[] }): KnownError {
  return new KnownError({
    code: 'LOCK_FILES_MISSING',
    kind: 'usage',
    message: `${fact.action}: no file in ${fact.workspace} matches ${fact.patterns.join(', ')}, so that \`cache\` has nothing to make a key of.`,
    hint: 'Run `uses: actions/checkout@v4` before it, name the files with `cache-dependency-path`, or leave `cache` out.',
  })
}

/** The package manager whose cache shall be kept is not known, or does not say where its cache is. */
export function toolCacheUnusable(fact: { action: string; manager: string; problem: string }): KnownError {
  return new KnownError({
    code: 'TOOL_CACHE_UNUSABLE',
    kind: 'usage',
    message: `${fact.action}: "cache: ${fact.manager}" cannot be done: ${fact.problem}.`,
    hint: 'Install the package manager before this step, or leave `cache` out.',
  })
}

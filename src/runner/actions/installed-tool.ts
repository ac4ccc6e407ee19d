import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { byVersion, versionFromFile, versionIn } from '#core/action/tool-version.ts'
import { toolFileInvalid, toolInContainer } from '#core/known/tool.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import { pathEscapes } from '#core/known/runner.ts'
import type { ActionContext } from './built-in-action.ts'

/** A tool that is on this machine. */
export interface InstalledTool {
  readonly version: string
  /** Absolute path of the program. */
  readonly program: string
}

/** Where a tool may be. */
export interface ToolPlaces {
  /** Names of the program on PATH. */
  readonly programs: readonly string[]
  /** Folders with one folder per version, and where below that the program is. `~` is the home of the steps. */
  readonly versions: readonly { readonly folder: string; readonly program: string }[]
}

/** Versions that are asked for their number, of those that do not have it in their folder's name. */
const askedMax = 40

/** Every version on this machine, newest first; one on PATH comes before the same elsewhere. */
export async function findTools(context: ActionContext, places: ToolPlaces): Promise<readonly InstalledTool[]> {
  if (context.isInContainer) throw toolInContainer({ action: context.action })
  const found = new Map<string, InstalledTool>()
  const programs = [...onPath(context.path, places.programs), ...inFolders(context, places)]
  for (const { program, version } of programs.slice(0, askedMax * 10)) {
    const known = version ?? (await askVersion(context, program))
    if (known !== undefined && !found.has(known)) found.set(known, { version: known, program })
  }
  return byVersion([...found.values()])
}

/**
 * Says by name what a step asks for and does not get, so that nobody looks for it in the wrong place. With each input stands
 * what may be written there without a warning; `architecture` may be this machine's own.
 */
export function warnOfUnused(context: ActionContext, accepted: Readonly<Record<string, readonly string[]>>): void {
  const all = { ...accepted, architecture: ['', process.arch] }
  for (const [name, values] of Object.entries(all)) {
    const value = context.inputs.text(name)
    if (values.includes(value.toLowerCase())) continue
    context.warn(
      `${context.action}: the input "${name}: ${value}" is not supported, ignored: only what is installed on this machine is used.`,
    )
  }
}

interface Candidate {
  readonly program: string
  readonly version?: string | undefined
}

function onPath(path: string, names: readonly string[]): readonly Candidate[] {
  const folders = [...new Set(path.split(delimiter).filter((folder) => folder.startsWith('/')))]
  return folders
    .flatMap((folder) => names.map((name) => ({ program: join(folder, name) })))
    .filter(({ program }) => isProgram(program))
    .slice(0, askedMax)
}

function inFolders(context: ActionContext, places: ToolPlaces): readonly Candidate[] {
  return places.versions.flatMap(({ folder, program }) => {
    const root = folder.replace(/^~/, context.home)
    return namesIn(root)
      .map((name) => ({ program: join(root, name, program), version: versionIn(name) }))
      .filter((candidate) => isProgram(candidate.program))
  })
}

/** `RUNNER_TOOL_CACHE`, as GitHub's own actions lay it out: `<tool>/<version>/<arch>` with a mark when it is complete. */
export function toolCachePlaces(context: ActionContext, tool: string): ToolPlaces['versions'] {
  const arch = process.arch
  const roots = [context.order.paths.toolCache, '/opt/hostedtoolcache']
  return roots.map((root) => ({ folder: join(root, tool), program: join(arch, 'bin', tool.toLowerCase()) }))
}

async function askVersion(context: ActionContext, program: string): Promise<string | undefined> {
  const said = await context.captureProgram([program, '--version'], context.order.paths.workspace)
  return said === undefined ? undefined : versionIn(said)
}

/** What a version file of the workspace asks for. */
export function readVersionFile(context: ActionContext, path: string, tool: 'node' | 'python'): string {
  const { workspace } = context.order.paths
  const file = normalizePath(context.outside(path), workspace)
  if (!isInside(file, workspace)) throw pathEscapes({ path, root: workspace })
  const version = existsSync(file) ? versionFromFile(basename(file), readFileSync(file, 'utf8'), tool) : undefined
  if (version === undefined) throw toolFileInvalid({ action: context.action, file: path })
  return version
}

function isProgram(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}

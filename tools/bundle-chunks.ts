/** What the bundler knows of a module. */
export interface BundledModule {
  /** Modules that it imports, and those that it imports when it needs them. */
  readonly importedIds: readonly string[]
  readonly dynamicallyImportedIds: readonly string[]
}

export type ModuleLookup = (id: string) => BundledModule | null

/** What every call loads once it finds compiled code, and the file that every command goes through; below `src/`. */
const startParts = ['main/call.ts']
const frameParts = ['cli/run-command.ts']
/** What `shipway run` loads to start other processes; they work while it reads the rest. */
const aheadParts = ['cli/command/run.ts', 'main/runner-program.ts', 'adapters/git/repository.ts']
/** What a runner loads. */
const jobParts = ['runner/main.ts']
const runParts = ['cli/perform-run.ts', 'main/agent-client.ts', 'adapters/git/git.ts']
/** What the commands that only look load as well. */
const lookParts = ['main/open-store.ts']

/** What is large and not always needed stays by itself. */
const packages: readonly (readonly [RegExp, string])[] = [
  [/\/node_modules\/yaml\//, 'yaml'],
  [/\/node_modules\/(?:@actions\/workflow-parser|cronstrue)\//, 'workflow-parser'],
]

/**
 * Says for each module into which file of the bundle it goes; a module that is not named is left to the bundler. A file costs half a
 * millisecond to find, read and link, however small it is, and left to itself the bundler makes one of every few modules that two
 * commands share: 65 for `shipway run`. So what is loaded together lies together:
 *
 *     start  every call    frame  every command    common  `run` and commands that look
 *     ahead  the beginning of `run`    run  its rest       job     `run` and the runner
 *
 * No command reads a file that `run` has for itself.
 */
export function planChunks(
  entries: Readonly<Record<string, string>>,
  lookUp: ModuleLookup,
): ReadonlyMap<string, string> {
  const { shipway, runner } = entries
  if (shipway === undefined || runner === undefined) return new Map()
  const closure = (roots: readonly string[]): Set<string> => {
    const seen = new Set(roots)
    for (const id of seen) for (const next of lookUp(id)?.importedIds ?? []) seen.add(next)
    return seen
  }
  const lazy = lazyModules([shipway, runner], lookUp)
  const named = (parts: readonly string[]): readonly string[] =>
    parts.map((part) => {
      const root = lazy.find((id) => id.endsWith(`/src/${part}`))
      if (root === undefined) throw new Error(`The plan of the bundle names src/${part}, which nobody loads by itself`)
      return root
    })
  const run = named(runParts)
  const ahead = named(aheadParts)
  const frame = named(frameParts)
  const start = named(startParts)
  const job = named(jobParts)
  const look = named(lookParts)
  const own = new Set([...run, ...ahead, ...frame, ...start, ...look])
  const common = closure([...look, ...lazy.filter((id) => id.includes('/src/cli/') && !own.has(id))])
  // What other commands share with the beginning of `run` must not bring them the processes that it starts.
  const everywhere = [...closure(ahead)].filter((id) => id.includes('/src/cli/') && common.has(id))
  const parts = [
    ['start', closure(start)],
    ['job', closure(job)],
    ['frame', new Set([...closure(frame), ...everywhere])],
    ['ahead', closure(ahead)],
    ['common', common],
  ] as const
  const plan = new Map<string, string>()
  for (const id of closure([...own])) plan.set(id, parts.find(([, members]) => members.has(id))?.[0] ?? 'run')
  // It waits for everything while it is loaded: whatever imported its file would wait for its end.
  for (const id of start) plan.delete(id)
  for (const id of closure([...plan.keys(), ...lazy])) {
    const [, name] = packages.find(([pattern]) => pattern.test(id)) ?? []
    if (name !== undefined) plan.set(id, name)
  }
  return plan
}

/** Every module that some module of the programs imports when it needs it. */
function lazyModules(entries: readonly string[], lookUp: ModuleLookup): readonly string[] {
  const lazy = new Set<string>()
  const seen = new Set(entries)
  for (const id of seen) {
    const module = lookUp(id)
    for (const next of module?.dynamicallyImportedIds ?? []) lazy.add(next)
    for (const next of [...(module?.importedIds ?? []), ...(module?.dynamicallyImportedIds ?? [])]) seen.add(next)
  }
  return [...lazy]
}

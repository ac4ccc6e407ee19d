import { access, realpath } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { flagInvalid, repositoryEmpty } from '#core/known/cli.ts'
import { parsePlatform } from '#core/plan/platform.ts'
import { checkDispatchLimits, checkVariableLimits } from '#core/ticket/limits.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { prepareEvent } from './event-facts.ts'
import { applicationOf } from './project.ts'
import { parsePair, parsePairs } from './pairs.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import type { Session } from './session.ts'
import { whoAmI } from './identity.ts'

/** The flags of `shipway run` that become part of the request. `plan` has the same ones where they make sense. */
export interface RunFlags {
  readonly workflow?: readonly string[]
  readonly job?: string
  readonly eventFile?: string
  readonly ref?: string
  readonly repository?: string
  readonly actor?: string
  readonly input?: readonly string[]
  readonly var?: readonly string[]
  readonly env?: readonly string[]
  readonly matrix?: readonly string[]
  readonly platform?: readonly string[]
  readonly changedFiles?: string
}

export interface PreparedRun {
  readonly request: RunRequest
  readonly facts: RepositoryFacts
  readonly remarks: readonly string[]
}

/** Event that is meant when the call names none: inputs mean a start by hand, everything else a push. */
export function eventName(given: string | undefined, flags: Pick<RunFlags, 'input'>): string {
  return given ?? (flags.input === undefined ? 'push' : 'workflow_dispatch')
}

export interface PrepareOptions {
  readonly secretNames: readonly string[]
  /** Whether uncommitted changes become a commit object: a plan only reads. */
  readonly takesSnapshot: boolean
  /** What the repository says, where somebody has asked it already. */
  readonly described?: Promise<RepositoryFacts>
}

/** The request that a call means, with the state of the repository in it. */
export async function prepareRun(
  session: Session,
  event: string | undefined,
  flags: RunFlags,
  options: PrepareOptions,
): Promise<PreparedRun> {
  const facts = await (options.described ?? session.services.describeRepository(session.directory))
  if (facts.sha === undefined) throw repositoryEmpty({ root: facts.root })
  const input = parsePairs('--input', flags.input)
  const actor = flags.actor ?? whoAmI(session.world)
  const changedFiles = flags.changedFiles?.split(',').filter((file) => file !== '')
  const prepared = await prepareEvent(session, facts, eventName(event, flags), {
    actor,
    input,
    takesSnapshot: options.takesSnapshot,
    ...(flags.eventFile === undefined ? {} : { eventFile: flags.eventFile }),
    ...(flags.ref === undefined ? {} : { ref: flags.ref }),
    ...(changedFiles === undefined ? {} : { changedFiles }),
  })
  const vars = parsePairs('--var', flags.var)
  checkVariableLimits(vars)
  checkDispatchLimits(prepared.event.payload)
  const request: RunRequest = {
    kind: 'run',
    application: await applicationOf(facts.root),
    repositoryName: flags.repository ?? facts.repositoryName,
    repository: facts.root,
    event: prepared.event,
    actor,
    dirty: prepared.isDirty,
    ...(flags.workflow === undefined
      ? {}
      : { workflows: await Promise.all(flags.workflow.map((path) => belowRoot(session, facts.root, path))) }),
    ...(flags.job === undefined ? {} : { job: flags.job }),
    ...(flags.matrix === undefined ? {} : { matrix: flags.matrix.map((pair) => matrixPair(pair)) }),
    vars,
    env: parsePairs('--env', flags.env),
    secretNames: options.secretNames,
    platforms: parsePlatforms(flags.platform),
  }
  return { request, facts, remarks: prepared.remarks }
}

/** A path as the caller sees it becomes one below the root; a mere name is left for the agent to find among the workflows. */
async function belowRoot(session: Session, root: string, path: string): Promise<string> {
  const absolute = resolve(session.directory, path)
  const exists = await access(absolute).then(
    () => true,
    () => false,
  )
  if (!exists) return path
  const below = relative(await realpath(root), await realpath(absolute))
  if (below.startsWith('..'))
    throw flagInvalid({ flag: '--workflow', value: path, expected: `a file or folder of the repository ${root}` })
  return below === '' ? '.' : below
}

function matrixPair(pair: string): { key: string; value: string } {
  const [key, value] = parsePair('--matrix', pair, ':')
  return { key, value }
}

function parsePlatforms(pairs: readonly string[] | undefined): Readonly<Record<string, string>> {
  const platforms = parsePairs('--platform', pairs)
  for (const [label, image] of Object.entries(platforms)) {
    if (parsePlatform(image) === undefined) {
      throw flagInvalid({
        flag: '--platform',
        value: `${label}=${image}`,
        expected: 'LABEL=host or LABEL=docker:IMAGE',
      })
    }
  }
  return platforms
}

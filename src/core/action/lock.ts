import { isJsonObject } from '../json.ts'
import { actionLockInvalid } from '../known/action.ts'
import { isCommitId, parseRemoteName, pinKey } from './remote-name.ts'

/** Path of the lock below the repository's root. It is committed with the project. */
export const actionLockFile = '.shipway/actions.lock'

/** The commit that a ref stood for when somebody accepted it. */
export interface ActionPin {
  readonly commit: string
  /** Where it was fetched from, when other machines can fetch it there too. */
  readonly url?: string
}

/** What a run knows of actions in other repositories: from the commit that it runs, and stored with the run. */
export interface ActionOrigin {
  /** By `pinKey`. */
  readonly pins: Readonly<Record<string, ActionPin>>
  /** `actions.url` of `shipway.yml`; absent for the default. */
  readonly baseUrl?: string
}

const version = 1

/** Reads `.shipway/actions.lock`. Throws ACTION_LOCK_INVALID with the entry that is wrong. */
export function parseActionLock(text: string): Readonly<Record<string, ActionPin>> {
  const document = parseJson(text)
  if (!isJsonObject(document)) throw actionLockInvalid({ file: actionLockFile, problem: 'it is not a JSON object' })
  if (document['version'] !== version) {
    throw actionLockInvalid({
      file: actionLockFile,
      problem: `its version is ${JSON.stringify(document['version'])}, expected ${version}`,
    })
  }
  const entries = document['actions']
  if (!isJsonObject(entries)) throw actionLockInvalid({ file: actionLockFile, problem: '"actions" is not an object' })
  const pins: Record<string, ActionPin> = {}
  for (const [key, value] of Object.entries(entries)) {
    const name = parseRemoteName(key)
    const commit = isJsonObject(value) ? value['commit'] : undefined
    const url = isJsonObject(value) ? value['url'] : undefined
    if (name === undefined || name.path !== '') {
      throw actionLockInvalid({ file: actionLockFile, problem: `"${key}" is not of the form owner/repo@ref` })
    }
    if (typeof commit !== 'string' || !isCommitId(commit)) {
      throw actionLockInvalid({ file: actionLockFile, problem: `the commit of "${key}" is not a whole commit id` })
    }
    pins[pinKey(name)] = { commit, ...(typeof url === 'string' ? { url } : {}) }
  }
  return pins
}

/** The lock as text: sorted, one entry per line, so that two people who add different actions do not meet in one line. */
export function renderActionLock(pins: Readonly<Record<string, ActionPin>>): string {
  const lines = Object.entries(pins)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, { commit, url }]) => `    ${JSON.stringify(key)}: ${JSON.stringify({ commit, url })}`)
  const body = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`
  return `{\n  "version": ${version},\n  "actions": ${body}\n}\n`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

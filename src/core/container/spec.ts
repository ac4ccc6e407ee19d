import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { toText } from '#core/expression/text.ts'
import { containerInvalid } from '#core/known/container.ts'
import { splitWords } from './words.ts'

/** `container:` of a job, or one of its `services:`, after evaluation. */
export interface ContainerSpec {
  readonly image: string
  readonly credentials?: { readonly username: string; readonly password: string }
  readonly env: Readonly<Record<string, string>>
  /** As for `docker run --publish`, on loopback where the file names no address. */
  readonly ports: readonly string[]
  /** As for `docker run --volume`. */
  readonly volumes: readonly string[]
  /** More arguments of `docker run`. */
  readonly options: readonly string[]
  /** Services only. */
  readonly entrypoint?: string
  readonly command: readonly string[]
}

const keys = new Set(['image', 'credentials', 'env', 'ports', 'volumes', 'options', 'entrypoint', 'command'])
/** The job's network and the way a job container is kept alive are not the file's business (actions-semantics 117). */
const refusedOption = /^--(?:network|net|entrypoint)(?:=|$)/

/** Reads an evaluated container. Undefined when it names no image: the job does without (116). */
export function parseContainer(value: Json, place: string): ContainerSpec | undefined {
  const written: JsonObject = isJsonObject(value) ? value : { image: value }
  const unknown = Object.keys(written).find((key) => !keys.has(key))
  if (unknown !== undefined) throw containerInvalid({ place, problem: `has an unknown key "${unknown}"` })
  const image = textOf(written['image'] ?? '', `${place}.image`).replace(/^docker:\/\//, '')
  if (image.trim() === '') return undefined
  const credentials = credentialsOf(written['credentials'] ?? null, `${place}.credentials`)
  const options = splitWords(textOf(written['options'] ?? '', `${place}.options`))
  if (options === undefined)
    throw containerInvalid({ place: `${place}.options`, problem: 'has a quote without an end' })
  const refused = options.find((option) => refusedOption.test(option))
  if (refused !== undefined) throw containerInvalid({ place: `${place}.options`, problem: `cannot have ${refused}` })
  const entrypoint = textOf(written['entrypoint'] ?? '', `${place}.entrypoint`)
  return {
    image: image.trim(),
    ...(credentials === undefined ? {} : { credentials }),
    env: variablesOf(written['env'] ?? null, `${place}.env`),
    ports: textsOf(written['ports'] ?? [], `${place}.ports`).map(onLoopback),
    volumes: textsOf(written['volumes'] ?? [], `${place}.volumes`),
    options,
    ...(entrypoint === '' ? {} : { entrypoint }),
    command: splitWords(textOf(written['command'] ?? '', `${place}.command`)) ?? [],
  }
}

/** Both or none: half of them is a secret that is missing. */
function credentialsOf(value: Json, place: string): ContainerSpec['credentials'] {
  if (value === null || value === '') return undefined
  if (!isJsonObject(value)) throw containerInvalid({ place, problem: 'must have username and password' })
  const username = textOf(value['username'] ?? '', `${place}.username`)
  const password = textOf(value['password'] ?? '', `${place}.password`)
  if (username === '' && password === '') return undefined
  if (username !== '' && password !== '') return { username, password }
  throw containerInvalid({ place, problem: `needs both, and ${username === '' ? 'username' : 'password'} is empty` })
}

function variablesOf(value: Json, place: string): Readonly<Record<string, string>> {
  if (value === null || value === '') return {}
  if (!isJsonObject(value)) throw containerInvalid({ place, problem: 'must be a mapping' })
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, textOf(item, `${place}.${name}`)]))
}

function textsOf(value: Json, place: string): readonly string[] {
  if (!Array.isArray(value)) throw containerInvalid({ place, problem: 'must be a list' })
  return (value as readonly Json[]).map((item) => textOf(item, place)).filter((text) => text !== '')
}

function textOf(value: Json, place: string): string {
  if (value !== null && typeof value === 'object') throw containerInvalid({ place, problem: 'must be a text' })
  return toText(value)
}

/**
 * `5432` and `5432:5432` are published on loopback only, where a step on this machine looks for them: a test database is
 * nobody else's business. Whoever wants more names the address.
 */
function onLoopback(port: string): string {
  const parts = port.split(':')
  if (parts.length > 2 || port.includes('[')) return port
  return parts.length === 2 ? `127.0.0.1:${port}` : `127.0.0.1::${port}`
}

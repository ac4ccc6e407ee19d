import semver from 'semver'
import { isJsonObject } from '../json.ts'

/** Lines of Node with long-term support: names and majors, as `lts/<name>` has them. */
const nodeLines: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
}

/**
 * The range of versions that `node-version` means; undefined when it is none. `lts/*` is the newest line that may be found, `lts/-1` the one before, and
 * `latest`, `current` and `node` are any version.
 */
export function nodeRange(written: string): string | undefined {
  const text = written.trim().replace(/^v(?=\d)/, '')
  if (['latest', 'current', 'node', '*'].includes(text.toLowerCase())) return '*'
  const line = /^lts\/(.+)$/i.exec(text)?.[1]?.toLowerCase()
  if (line === undefined) return semver.validRange(text, { loose: true }) === null ? undefined : text
  const majors = Object.values(nodeLines).toSorted((one, other) => one - other)
  if (line === '*') return majors.map((major) => `${major}.x`).join(' || ')
  const back = /^-(\d+)$/.exec(line)?.[1]
  const major = back === undefined ? nodeLines[line] : majors.at(-1 - Number(back))
  return major === undefined ? undefined : `${major}.x`
}

/** The same for `python-version`: `3.12`, `3.x`, `>=3.10 <3.13`, `3.13-dev`, `3.12.1`. */
export function pythonRange(written: string): string | undefined {
  const text = written.trim().replace(/-dev$/, '')
  return semver.validRange(text, { loose: true }) === null ? undefined : text
}

/** The newest of the found versions in a range; a version that is asked for as a whole may be a pre-release. */
export function newestIn<T extends { readonly version: string }>(found: readonly T[], range: string): T | undefined {
  const version = semver.maxSatisfying(
    found.map((tool) => tool.version),
    range,
    { loose: true },
  )
  return found.find((tool) => tool.version === version)
}

/** Newest first. */
export function byVersion<T extends { readonly version: string }>(found: readonly T[]): readonly T[] {
  return found.toSorted((one, other) => semver.rcompare(one.version, other.version, { loose: true }))
}

/** `v20.1.0`, `Python 3.12.1+` → the bare version; undefined when the text has none. */
export function versionIn(text: string): string | undefined {
  const match = /(\d+\.\d+\.\d+)(?:-?(a|b|rc|alpha|beta)\.?(\d+))?/.exec(text)
  if (match === null) return undefined
  return match[2] === undefined ? match[1] : `${match[1]}-${match[2]}.${match[3]}`
}

/** What a version file asks for: `.nvmrc`, `.node-version`, `.python-version`, `.tool-versions`, `package.json`, `pyproject.toml`. */
export function versionFromFile(name: string, text: string, tool: 'node' | 'python'): string | undefined {
  if (name.endsWith('.json')) return fromPackageJson(text)
  if (name.endsWith('.tool-versions')) {
    const names = tool === 'node' ? 'nodejs|node' : 'python'
    return new RegExp(String.raw`^\s*(?:${names})\s+(\S+)`, 'm').exec(text)?.[1]
  }
  if (name.endsWith('.toml')) return /^\s*requires-python\s*=\s*["']([^"']+)["']/m.exec(text)?.[1]?.replaceAll(',', ' ')
  const line = text
    .split('\n')
    .map((item) => item.replace(/#.*$/, '').trim())
    .find((item) => item !== '')
  return line?.replace(/^(?:node|python)-?\s*/i, '')
}

function fromPackageJson(text: string): string | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return undefined
  }
  const at = (...path: readonly string[]): string | undefined => {
    let value: unknown = document
    for (const key of path) value = isJsonObject(value) ? value[key] : undefined
    return typeof value === 'string' ? value : undefined
  }
  return at('volta', 'node') ?? at('devEngines', 'runtime', 'version') ?? at('engines', 'node')
}

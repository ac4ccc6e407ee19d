import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Document, LineCounter, Node, YAMLMap } from 'yaml'
import type { Diagnostic, Position, Range } from '#core/diagnostic.ts'
import { parsePlatform } from '#core/plan/platform.ts'
import { valueBytes, valueBytesMax } from '#core/ticket/limits.ts'
import { unreachable } from '#core/unreachable.ts'
import { parseDuration, renderDuration } from './duration.ts'
import type { FieldSpec, Fields, ValuesOf } from './field.ts'
import { describe } from './describe-node.ts'
import { nearestName } from './nearest.ts'
import { pathKey, placeName } from './place.ts'
import type { Path } from './place.ts'
import { laterKeys } from './schema.ts'

const environmentNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const variableNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
/** A list in the file that is longer is refused, so that aliases cannot multiply work. */
const itemsMax = 1000

/**
 * Reads a YAML document against a table of fields. It collects a diagnostic for everything that is wrong and
 * returns what is right, so that one look shows all mistakes.
 */
export class ProjectReader {
  readonly diagnostics: Diagnostic[] = []
  readonly #file: string
  readonly #document: Document
  readonly #lines: LineCounter
  readonly #ranges = new Map<string, Range>()
  readonly #emptyLists = new Set<string>()

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file
    this.#document = document
    this.#lines = lines
  }

  /** Range of the value at a path that was read, else of its nearest parent. */
  rangeAt(path: Path): Range {
    for (let length = path.length; length >= 0; length -= 1) {
      const range = this.#ranges.get(pathKey(path.slice(0, length)))
      if (range !== undefined) return range
    }
    return { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }
  }

  /** True when a list stands at the path and has no item. */
  isEmptyList(path: Path): boolean {
    return this.#emptyLists.has(pathKey(path))
  }

  report(
    code: string,
    path: Path,
    fact: { message: string; hint?: string | undefined; severity?: 'error' | 'warning' },
  ): void {
    this.#add(code, this.rangeAt(path), fact)
  }

  /** The group at a node; undefined when there is no mapping. */
  readGroup<F extends Fields>(node: unknown, fields: F, path: Path): ValuesOf<F> | undefined {
    const map = this.#mapping(node, path)
    if (map === undefined) return undefined
    const values: Record<string, unknown> = {}
    const written = new Set<string>()
    for (const pair of map.items) {
      const key = this.#key(pair.key, path)
      if (key === undefined) continue
      const at = [...path, key]
      this.#remember(at, pair.value ?? pair.key)
      const field = fields[key]
      written.add(key)
      if (field === undefined) this.#unknownKey(pair.key, { key, fields, path })
      else values[key] = this.#readValue(pair.value, field.spec, at)
    }
    for (const [key, field] of Object.entries(fields)) {
      if (field.required === true && !written.has(key)) {
        this.report('CONFIG_KEY_MISSING', path, {
          message: `${placeName(path)} needs "${key}".`,
          hint: `${key}: ${field.help}`,
        })
      }
    }
    for (const key of Object.keys(values)) if (values[key] === undefined) delete values[key]
    return values as ValuesOf<F>
  }

  #readValue(raw: unknown, spec: FieldSpec, path: Path): unknown {
    const node = this.#resolve(raw)
    switch (spec.kind) {
      case 'text':
        return this.#text(node, path, `a text such as ${spec.example}`)
      case 'texts':
        return this.#texts(node, path, spec.example)
      case 'duration':
        return this.#duration(node, path, spec)
      case 'whole':
        return this.#whole(node, path, spec)
      case 'boolean':
        return this.#boolean(node, path)
      case 'choice':
        return this.#choice(node, path, spec)
      case 'variables':
        return this.#variables(node, path)
      case 'platforms':
        return this.#platforms(node, path)
      case 'targets':
        return this.#targets(node, path, spec.fields)
      case 'group':
        return this.#shortOf(node, spec, path) ?? this.readGroup(node, spec.fields, path)
      case 'groups':
        return this.#groups(node, path, spec.fields)
      case 'named':
        return this.#named(node, path, spec)
      default:
        return unreachable(spec)
    }
  }

  #text(node: unknown, path: Path, expected: string): string | undefined {
    if (isScalar(node) && (typeof node.value === 'string' || typeof node.value === 'number')) {
      const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
      if (text.trim() !== '' && !text.includes('\0')) return text
    }
    return this.#wrongType(node, path, expected)
  }

  #texts(node: unknown, path: Path, example: string): readonly string[] | undefined {
    if (!isSeq(node)) {
      const text = this.#text(node, path, `a text or a list of texts such as [${example}]`)
      return text === undefined ? undefined : [text]
    }
    if (!this.#fits(node.items.length, path)) return undefined
    const texts: string[] = []
    for (const [index, item] of node.items.entries()) {
      const at = [...path, index]
      this.#remember(at, item)
      const text = this.#text(this.#resolve(item), at, `a text such as ${example}`)
      if (text === undefined) continue
      if (texts.includes(text))
        this.report('CONFIG_VALUE_DUPLICATE', at, {
          message: `${placeName(path)} names "${text}" twice.`,
          severity: 'warning',
        })
      // Placeholders keep indexes equal to the file's, so that later checks can point at the item.
      texts.push(text)
    }
    return texts
  }

  #duration(node: unknown, path: Path, spec: { minMs: number; maxMs: number }): number | undefined {
    const expected = 'a duration with a unit, such as 500ms, 60s, 5m, 24h or 7d'
    if (!isScalar(node) || (typeof node.value !== 'string' && typeof node.value !== 'number'))
      return this.#wrongType(node, path, expected)
    const ms = parseDuration(String(node.value))
    if (ms === undefined)
      return this.#wrongType(
        node,
        path,
        expected,
        typeof node.value === 'number' ? `Did you mean ${node.value}s?` : undefined,
      )
    if (ms >= spec.minMs && ms <= spec.maxMs) return ms
    this.report('CONFIG_VALUE_INVALID', path, {
      message: `${placeName(path)} is ${renderDuration(ms)}, which is outside ${renderDuration(spec.minMs)} to ${renderDuration(spec.maxMs)}.`,
    })
    return undefined
  }

  #whole(node: unknown, path: Path, spec: { min: number; max: number }): number | undefined {
    if (isScalar(node) && typeof node.value === 'number' && Number.isInteger(node.value)) {
      if (node.value >= spec.min && node.value <= spec.max) return node.value
      this.report('CONFIG_VALUE_INVALID', path, {
        message: `${placeName(path)} is ${node.value}, which is outside ${spec.min} to ${spec.max}.`,
      })
      return undefined
    }
    return this.#wrongType(node, path, `a whole number from ${spec.min} to ${spec.max}`)
  }

  #boolean(node: unknown, path: Path): boolean | undefined {
    if (isScalar(node) && typeof node.value === 'boolean') return node.value
    return this.#wrongType(node, path, 'true or false')
  }

  #choice(node: unknown, path: Path, spec: { of: readonly string[]; later: readonly string[] }): string | undefined {
    const text = this.#text(node, path, `one of ${spec.of.join(', ')}`)
    if (text === undefined || spec.of.includes(text)) return text
    if (spec.later.includes(text)) {
      this.report('CONFIG_DRIVER_LATER', path, {
        message: `The driver "${text}" comes in a later version of Shipway.`,
        hint: `This version has: ${spec.of.join(', ')}.`,
      })
      return undefined
    }
    const near = nearestName(text, [...spec.of, ...spec.later])
    this.report('CONFIG_VALUE_INVALID', path, {
      message: `${placeName(path)} is "${text}", which does not exist.`,
      hint:
        near === undefined
          ? `Allowed: ${spec.of.join(', ')}.`
          : `Did you mean "${near}"? Allowed: ${spec.of.join(', ')}.`,
    })
    return undefined
  }

  #platforms(node: unknown, path: Path): Readonly<Record<string, string>> | undefined {
    const map = this.#mapping(node, path)
    if (map === undefined || !this.#fits(map.items.length, path)) return undefined
    const entries: [string, string][] = []
    for (const pair of map.items) {
      const label = this.#key(pair.key, path)
      if (label === undefined) continue
      const at = [...path, label]
      this.#remember(at, pair.value ?? pair.key)
      const where = this.#text(this.#resolve(pair.value), at, 'host or docker:IMAGE')
      if (where === undefined) continue
      if (parsePlatform(where) === undefined) {
        this.report('CONFIG_VALUE_INVALID', at, {
          message: `The platform "${label}" is "${where}", which is neither "host" nor "docker:IMAGE".`,
        })
      } else entries.push([label, where])
    }
    return Object.fromEntries(entries)
  }

  #variables(node: unknown, path: Path): Readonly<Record<string, string>> | undefined {
    const map = this.#mapping(node, path)
    if (map === undefined || !this.#fits(map.items.length, path)) return undefined
    const entries: [string, string][] = []
    for (const pair of map.items) {
      const name = this.#key(pair.key, path)
      if (name === undefined) continue
      const at = [...path, name]
      this.#remember(at, pair.value ?? pair.key)
      const value = this.#resolve(pair.value)
      if (!variableNamePattern.test(name)) {
        this.#add('CONFIG_VALUE_INVALID', this.#rangeOf(pair.key), {
          message: `"${name}" is no name for a variable.`,
          hint: 'Letters, digits and _; the first is no digit.',
        })
      } else if (isScalar(value) && ['string', 'number', 'boolean'].includes(typeof value.value)) {
        const text = typeof value.value === 'string' ? value.value : (value.source ?? String(value.value))
        const bytes = valueBytes(text)
        if (bytes > valueBytesMax)
          this.report('CONFIG_VALUE_INVALID', at, {
            message: `The variable ${name} has ${bytes} bytes; the limit is ${valueBytesMax}.`,
          })
        else entries.push([name, text])
      } else this.#wrongType(value, at, 'a text, a number, true or false')
    }
    return Object.fromEntries(entries)
  }

  #targets(node: unknown, path: Path, fields: Fields): readonly unknown[] | undefined {
    const items = isSeq(node) ? node.items : [node]
    if (items.length === 0) this.#emptyLists.add(pathKey(path))
    if (!this.#fits(items.length, path)) return undefined
    const targets: unknown[] = []
    for (const [index, item] of items.entries()) {
      const at = [...path, index]
      this.#remember(at, item)
      const value = this.#resolve(item)
      if (isMap(value)) targets.push(this.readGroup(value, fields, at))
      else targets.push(this.#text(value, at, 'a target such as ssh://deploy@host.example.org/srv/app or ./target'))
    }
    return targets
  }

  /** A scalar in the place of a group: the value of its short key. */
  #shortOf(node: unknown, spec: { fields: Fields; short?: string }, path: Path): object | undefined {
    const field = spec.short === undefined ? undefined : spec.fields[spec.short]
    if (spec.short === undefined || field === undefined || !isScalar(node) || node.value === null) return undefined
    const value = this.#readValue(node, field.spec, path)
    return value === undefined ? {} : { [spec.short]: value }
  }

  #groups(node: unknown, path: Path, fields: Fields): readonly unknown[] | undefined {
    if (!isSeq(node)) return this.#wrongType(node, path, 'a list')
    if (!this.#fits(node.items.length, path)) return undefined
    return node.items.flatMap((item, index) => {
      const at = [...path, index]
      this.#remember(at, item)
      const group = this.readGroup(this.#resolve(item), fields, at)
      return group === undefined ? [] : [group]
    })
  }

  #named(
    node: unknown,
    path: Path,
    spec: { fields: Fields; what: string; short?: string },
  ): ReadonlyMap<string, unknown> | undefined {
    const map = this.#mapping(node, path)
    if (map === undefined || !this.#fits(map.items.length, path)) return undefined
    const groups = new Map<string, unknown>()
    for (const pair of map.items) {
      const name = this.#key(pair.key, path)
      if (name === undefined) continue
      const at = [...path, name]
      this.#ranges.set(pathKey(at), this.#rangeOf(pair.key))
      if (!environmentNamePattern.test(name)) {
        this.report('CONFIG_VALUE_INVALID', at, {
          message: `"${name}" is no name for ${spec.what}.`,
          hint: 'Letters, digits, "-", "_" and ".", at most 64.',
        })
        continue
      }
      const group = this.#shortOf(this.#resolve(pair.value), spec, at) ?? this.readGroup(pair.value, spec.fields, at)
      if (group !== undefined) groups.set(name, group)
    }
    return groups
  }

  #mapping(raw: unknown, path: Path): YAMLMap | undefined {
    const node = this.#resolve(raw)
    if (isMap(node)) return node
    return this.#wrongType(node, path, 'a mapping of keys')
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node
  }

  #key(node: unknown, path: Path): string | undefined {
    const key = this.#resolve(node)
    if (isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number'))
      return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
    this.#add('CONFIG_TYPE_WRONG', this.#rangeOf(node), { message: `A key of ${placeName(path)} is not a text.` })
    return undefined
  }

  #unknownKey(node: unknown, fact: { key: string; fields: Fields; path: Path }): void {
    const { key, fields, path } = fact
    // As in compose files: a place for anchors that other keys refer to.
    if (path.length === 0 && key.startsWith('x-')) return
    if (laterKeys.has(key)) {
      this.#add('CONFIG_KEY_LATER', this.#rangeOf(node), {
        message: `"${key}" in ${placeName(path)} comes in a later version of Shipway.`,
        hint: 'Take it out: a rule that is not applied must not look as if it were.',
      })
      return
    }
    const names = Object.keys(fields)
    const near = nearestName(key, names)
    this.#add('CONFIG_KEY_UNKNOWN', this.#rangeOf(node), {
      message: `Unknown key "${key}" in ${placeName(path)}.`,
      hint: near === undefined ? `Allowed: ${names.join(', ')}.` : `Did you mean "${near}"?`,
    })
  }

  #wrongType(node: unknown, path: Path, expected: string, hint?: string): undefined {
    this.report('CONFIG_TYPE_WRONG', path, {
      message: `${placeName(path)} must be ${expected}, but it is ${describe(node)}.`,
      hint,
    })
    return undefined
  }

  #fits(count: number, path: Path): boolean {
    if (count <= itemsMax) return true
    this.report('CONFIG_VALUE_INVALID', path, {
      message: `${placeName(path)} has ${count} items; at most ${itemsMax} are read.`,
    })
    return false
  }

  #remember(path: Path, node: unknown): void {
    this.#ranges.set(pathKey(path), this.#rangeOf(node))
  }

  #rangeOf(node: unknown): Range {
    const range = (node as Node | null | undefined)?.range
    if (range === undefined || range === null) return { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }
    return { start: this.#position(range[0]), end: this.#position(Math.max(range[0] + 1, range[1])) }
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  #add(
    code: string,
    range: Range,
    fact: { message: string; hint?: string | undefined; severity?: 'error' | 'warning' },
  ): void {
    this.diagnostics.push({
      severity: fact.severity ?? 'error',
      code,
      file: this.#file,
      range,
      message: fact.message,
      ...(fact.hint === undefined ? {} : { hint: fact.hint }),
    })
  }
}

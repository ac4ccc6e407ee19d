import type { Json, JsonObject } from '#core/json.ts'
import { isJsonObject } from '#core/json.ts'
import { toText } from '#core/expression/text.ts'
import { isEqual, isScalar } from '#core/expression/value.ts'
import { matrixLegsMax } from './limits.ts'
import { PlanProblem } from './problem.ts'

/** One combination of a matrix: its values, and those of them that were there before `include` added to it. */
export interface MatrixLeg {
  readonly values: JsonObject
  /** The texts that tell this leg from the others, for its name: scalars only, empty ones left out. */
  readonly labels: readonly string[]
}

/**
 * The legs of `strategy.matrix` after its expressions were evaluated, by the rules of `actions/runner MatrixBuilder`
 * (actions-semantics 89–93): cross product in the order of the file with the last key fastest; `exclude` removes
 * combinations that it matches in part; `include` adds to the original combinations that agree with it on matrix keys,
 * and becomes a leg of its own when there is none. No legs are possible: everything was excluded.
 */
export function expandMatrix(matrix: Json): readonly MatrixLeg[] {
  if (!isJsonObject(matrix)) throw new PlanProblem(`The matrix must be a mapping, but it is ${describe(matrix)}`)
  const { include = [], exclude = [], ...rest } = matrix
  const vectors = vectorsOf(rest)
  const includes = filtersOf(include, 'include').map((item) => splitInclude(item, vectors))
  const excludes = filtersOf(exclude, 'exclude')
  checkExcludes(excludes, vectors)
  if (vectors.size === 0 && includes.length === 0) throw new PlanProblem('Matrix must define at least one vector')
  const legs = crossProduct(vectors)
    .filter((values) => !excludes.some((filter) => isPartOf(filter, values)))
    .map((values) => legOf(values, includes))
  const added = includes.filter((item) => !item.isMatched).map((item) => newLeg({ ...item.filter, ...item.extra }))
  const all = [...legs, ...added]
  if (all.length > matrixLegsMax) {
    throw new PlanProblem(`The matrix makes ${all.length} jobs; ${matrixLegsMax} are allowed`)
  }
  return all
}

interface Include {
  /** The part whose keys are keys of the matrix: where it applies. */
  readonly filter: JsonObject
  readonly extra: JsonObject
  isMatched: boolean
}

function vectorsOf(rest: JsonObject): ReadonlyMap<string, readonly Json[]> {
  return new Map(
    Object.entries(rest).map(([name, vector]) => {
      if (!Array.isArray(vector))
        throw new PlanProblem(`Matrix vector '${name}' must be a list, but it is ${describe(vector)}`)
      if (vector.length === 0) throw new PlanProblem(`Matrix vector '${name}' does not contain any values`)
      return [name, vector as readonly Json[]]
    }),
  )
}

function filtersOf(list: Json, key: 'include' | 'exclude'): readonly JsonObject[] {
  if (list === null) return []
  if (!Array.isArray(list)) throw new PlanProblem(`"${key}" of the matrix must be a list, but it is ${describe(list)}`)
  return list.map((item: Json) => {
    if (!isJsonObject(item)) throw new PlanProblem(`An item of "${key}" must be a mapping, but it is ${describe(item)}`)
    if (Object.keys(item).length > 0) return item
    throw new PlanProblem(
      key === 'include'
        ? 'Matrix include mapping does not contain any values'
        : 'Matrix exclude filter must not be empty',
    )
  })
}

function splitInclude(item: JsonObject, vectors: ReadonlyMap<string, unknown>): Include {
  const pairs = Object.entries(item)
  return {
    filter: Object.fromEntries(pairs.filter(([key]) => vectors.has(key))),
    extra: Object.fromEntries(pairs.filter(([key]) => !vectors.has(key))),
    isMatched: false,
  }
}

function checkExcludes(excludes: readonly JsonObject[], vectors: ReadonlyMap<string, unknown>): void {
  const unknown = excludes.flatMap((filter) => Object.keys(filter)).find((key) => !vectors.has(key))
  if (unknown !== undefined)
    throw new PlanProblem(`Matrix exclude key '${unknown}' does not match any key within the matrix`)
}

function crossProduct(vectors: ReadonlyMap<string, readonly Json[]>): readonly JsonObject[] {
  if (vectors.size === 0) return []
  let combinations: JsonObject[] = [{}]
  for (const [name, vector] of vectors) {
    const size = combinations.length * vector.length
    // Exclude can only shrink it; a product far beyond the limit is refused before it takes the memory.
    if (size > matrixLegsMax * 64) throw new PlanProblem(`The matrix makes ${size} jobs; ${matrixLegsMax} are allowed`)
    combinations = combinations.flatMap((combination) => vector.map((value) => ({ ...combination, [name]: value })))
  }
  return combinations
}

/** Every filter is compared with the original combination; a later extra overrides an earlier one. */
function legOf(values: JsonObject, includes: readonly Include[]): MatrixLeg {
  const extras: JsonObject[] = []
  for (const item of includes) {
    if (!isPartOf(item.filter, values)) continue
    item.isMatched = true
    extras.push(item.extra)
  }
  return { values: Object.assign({}, values, ...extras) as JsonObject, labels: labelsOf(values) }
}

function newLeg(values: JsonObject): MatrixLeg {
  return { values, labels: labelsOf(values) }
}

/** Whether every leaf of the filter equals, as `==` says, what stands at the same place of the value. */
function isPartOf(filter: Json, value: Json | undefined): boolean {
  if (isScalar(filter)) return isEqual(value ?? null, filter)
  return Object.entries(filter).every(([key, item]) => isPartOf(item, memberOf(value, key)))
}

function memberOf(value: Json | undefined, key: string): Json | undefined {
  return value === undefined || isScalar(value) || !Object.hasOwn(value, key) ? undefined : (value as JsonObject)[key]
}

function labelsOf(value: Json): readonly string[] {
  if (value === null) return []
  const texts = isScalar(value) ? [toText(value)] : Object.values(value).flatMap((item) => labelsOf(item))
  return texts.filter((text) => text !== '')
}

function describe(value: Json): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return isJsonObject(value) ? 'a mapping' : `"${toText(value)}"`
}

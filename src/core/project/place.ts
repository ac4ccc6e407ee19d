/** A place in the file, by its keys: `['environments', 'staging', 'after', 0]`. */
export type Path = readonly (string | number)[]

/** A path in the words of a message: `environment "staging"`, `health.url of environment "staging"`. */
export function placeName(path: Path): string {
  if (path.length === 0) return 'the file'
  if (path[0] !== 'environments') return `"${path.join('.')}"`
  if (path.length === 1) return '"environments"'
  const environment = `environment "${path[1]}"`
  return path.length === 2 ? environment : `"${path.slice(2).join('.')}" of ${environment}`
}

/** The path as a key of a map. */
export function pathKey(path: Path): string {
  return JSON.stringify(path)
}

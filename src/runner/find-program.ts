import { accessSync, constants, statSync } from 'node:fs'
import { delimiter } from 'node:path'

/** The program that a name means on PATH; undefined when there is none. A name with a slash is a path already. */
export function findProgram(name: string, path: string, cwd: string): string | undefined {
  if (name.includes('/')) return isProgram(name.startsWith('/') ? name : `${cwd}/${name}`) ? name : undefined
  for (const folder of path.split(delimiter)) {
    const candidate = `${folder}/${name}`
    if (folder !== '' && isProgram(candidate)) return candidate
  }
  return undefined
}

function isProgram(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

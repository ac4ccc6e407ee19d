import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const unreleased = { version: 'dev', release: null, sha: null, environment: 'local' }

/**
 * Which release this folder holds, from the RELEASE.json that Shipway writes beside the files. A working copy has none,
 * and calls itself `dev`; a file that cannot be read is an error, because a service must not lie about what it is.
 */
export function readRelease(folder) {
  let text
  try {
    text = readFileSync(join(folder, 'RELEASE.json'), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return unreleased
    throw error
  }
  const { id, version, sha, environment } = JSON.parse(text)
  return { version, release: id, sha, environment }
}

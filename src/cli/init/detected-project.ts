import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a folder holds, as far as a workflow for it needs to know. */
export interface DetectedProject {
  readonly kind: 'node' | 'python' | 'go' | 'rust' | 'static' | 'docker' | 'make' | 'plain'
  /** Name for the application. */
  readonly name: string
  /** What made us think so, for people: `package.json with a test script`. */
  readonly because: string
  readonly steps: readonly DetectedStep[]
  /** What the steps build and a release must hold; absent: the files of the commit are the release. */
  readonly artifact?: DetectedArtifact
}

export interface DetectedStep {
  readonly name: string
  readonly run: string
}

export interface DetectedArtifact {
  /** Patterns as `actions/upload-artifact` takes them. */
  readonly paths: readonly string[]
  /** True where the built files are in a folder whose name begins with a dot. */
  readonly isHidden?: boolean
}

/** Looks at a folder; undefined when it is not of this kind. */
export type Detector = (directory: string, name: string) => Promise<DetectedProject | undefined>

export async function exists(directory: string, name: string): Promise<boolean> {
  return access(join(directory, name)).then(
    () => true,
    () => false,
  )
}

/** The text of a file; empty when it cannot be read. */
export async function textIn(directory: string, name: string): Promise<string> {
  return readFile(join(directory, name), 'utf8').catch(() => '')
}

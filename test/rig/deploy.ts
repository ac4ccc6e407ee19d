import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { Release, ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'

/** What a file of a test's release is: its content, or content and permission bits. */
export type FileContent = string | { readonly content: string | Uint8Array; readonly mode: number }

/** A release with its blobs below `home`. */
export async function makeRelease(
  home: string,
  version: string,
  files: Readonly<Record<string, FileContent>>,
): Promise<Release> {
  const entries: ReleaseFile[] = []
  for (const path of Object.keys(files).toSorted()) {
    const file = files[path] ?? ''
    const { content, mode } = typeof file === 'string' ? { content: file, mode: 0o644 } : file
    const bytes = Buffer.from(content)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const blob = join(home, homeLayout.blob(digest))
    await mkdir(dirname(blob), { recursive: true })
    await writeFile(blob, bytes)
    entries.push({ path, mode, size: bytes.length, digest })
  }
  const manifest: ReleaseManifest = {
    schema: 'shipway.release/1',
    application: 'hello',
    version,
    source: { sha: createHash('sha1').update(version).digest('hex'), ref: 'refs/heads/main', dirty: false },
    files: entries,
    environments: {},
    evidence: [],
  }
  return reseal(manifest)
}

/** The release of a manifest. */
export function reseal(manifest: ReleaseManifest): Release {
  const id = createHash('sha256')
    .update(canonicalJson(manifest as never))
    .digest('hex')
  return { id, manifest, sealedBy: 'test', createdAt: 0 }
}

let deployments = 0

/** An order with a deployment id of its own. */
export function makeOrder(
  home: string,
  target: HostTarget,
  release: Release,
  more: Partial<TargetOrder> = {},
): TargetOrder {
  deployments += 1
  return {
    deploymentId: `dep_${process.pid}x${deployments}`,
    application: 'hello',
    environment: 'staging',
    target,
    release,
    blobs: join(home, homeLayout.blobs),
    variables: {},
    secrets: {},
    confirmWithinMs: 60_000,
    retain: 5,
    ...more,
  }
}

/** Waits for a condition, never for a duration; fails with the condition's name when it does not come. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`did not happen within ${withinMs} ms: ${what}`)
    await delay(20)
  }
}

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startSshd } from '../test/rig/sshd.ts'
import type { SshServer } from '../test/rig/sshd.ts'

/** Hosts over ssh. Each has a folder of its own at the same `place`, as different machines have. */
export interface DeployFleet extends AsyncDisposable {
  readonly place: string
  readonly hosts: readonly SshServer[]
  /** What each host has at `place`, as this machine sees it. */
  readonly contents: readonly string[]
}

/** Needs root, because every host sees its own mount at `place`. */
export async function startDeployFleet(folder: string, count: number): Promise<DeployFleet> {
  const place = join(folder, 'place')
  await mkdir(place, { recursive: true })
  const hosts: SshServer[] = []
  const contents: string[] = []
  for (let index = 0; index < count; index++) {
    const content = join(folder, `host-${index}`)
    await mkdir(content)
    contents.push(content)
    hosts.push(await startSshd([], { place, content }))
  }
  return {
    place,
    hosts,
    contents,
    [Symbol.asyncDispose]: async () => {
      for (const host of hosts) await host[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { HostShell } from '#ports/host-shell.ts'
import { findProgram } from './system.ts'

/** What Alpine and small devices have instead of the GNU tools: `declare` gets a shell that finds nothing else. */
export function describeWithBusybox(declare: (shell: () => HostShell) => void): void {
  const busybox = findProgram('busybox')
  describe.skipIf(busybox === undefined)(`with busybox alone ${busybox ?? '(not installed)'}`, () => {
    let tools: string
    beforeAll(() => {
      tools = mkdtempSync(join(tmpdir(), 'shipway-busybox-'))
      execFileSync(busybox ?? 'busybox', ['--install', '-s', tools])
    })
    afterAll(() => rmSync(tools, { recursive: true }))

    declare(() => openLocalShell({ PATH: tools }))
  })
}

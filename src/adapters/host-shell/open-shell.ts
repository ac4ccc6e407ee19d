import type { HostTarget } from '#core/project/model.ts'
import type { HostShell } from '#ports/host-shell.ts'
import { openLocalShell } from './local-shell.ts'
import { openSshShell } from './ssh-shell.ts'
import type { SshShellOptions } from './ssh-shell.ts'

/** The shell that fits the target. */
export function openShell(target: HostTarget, options: SshShellOptions = {}): HostShell {
  return target.kind === 'local' ? openLocalShell() : openSshShell(target, options)
}

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { HostShell } from '#ports/host-shell.ts'
import { until } from './deploy.ts'
import { requireSystem } from './system.ts'

/** A real systemd, as the manager of the current user, who lingers: in a view of the file system of its own, where the machine seems booted with systemd. */
export interface UserSystemd extends AsyncDisposable {
  /** Its scripts run where that systemd is. */
  openShell(environment?: NodeJS.ProcessEnv): HostShell
}

const systemd = '/lib/systemd/systemd'

/** Makes what sd_booted(3) and logind's lingering look at, then becomes systemd. */
const booted = `
mount -t tmpfs none /run && mkdir -p /run/systemd/system &&
  mount -t tmpfs none /var/lib && mkdir -p /var/lib/systemd/linger && : > "/var/lib/systemd/linger/$(id -un)" &&
  exec ${systemd} --user
`

/** The reason why there can be none here: a kernel in whose control groups it cannot work, no root, no systemd. */
export async function startUserSystemd(): Promise<UserSystemd | string> {
  const missing = await requireSystem(['systemd'])
  if (missing !== undefined) return missing
  if (process.getuid?.() !== 0) return '(needs root)'
  const folder = await mkdtemp(join(tmpdir(), 'shipway-systemd-'))
  const runtime = join(folder, 'runtime')
  await mkdir(runtime, { mode: 0o700 })
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: runtime }
  const manager = spawn('unshare', ['--mount', 'sh', '-c', booted], { env, stdio: 'ignore' })
  const hasEnded = (): boolean => manager.exitCode !== null || manager.signalCode !== null
  const socket = join(runtime, 'systemd/private')
  const end = async (): Promise<void> => {
    manager.kill('SIGTERM')
    await until('systemd has ended', hasEnded).catch(() => manager.kill('SIGKILL'))
    await rm(folder, { recursive: true, force: true })
  }
  await until('systemd listens, or has ended', () => hasEnded() || existsSync(socket)).catch(() => undefined)
  if (hasEnded() || !existsSync(socket)) {
    await end()
    return '(systemd cannot manage a user here)'
  }
  const inside = join(folder, 'sh')
  await writeFile(inside, `#!/bin/sh\nexec nsenter --mount=/proc/${manager.pid}/ns/mnt --wdns="$PWD" /bin/sh "$@"\n`)
  await chmod(inside, 0o755)
  return {
    openShell: (environment = {}) =>
      openLocalShell({
        ...process.env,
        ...environment,
        XDG_RUNTIME_DIR: runtime,
        PATH: `${folder}:${process.env['PATH']}`,
      }),
    [Symbol.asyncDispose]: end,
  }
}

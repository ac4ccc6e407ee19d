import type { CliWorld } from '#cli/world.ts'
import { outlet } from './outlet.ts'
import type { Outlet } from './outlet.ts'
import { services } from './services.ts'
import { version } from './version.ts'

const widthDefault = 80

/** The world of a real process: its streams, its terminal, its signals. */
export function processWorld(): CliWorld & { readonly stdout: Outlet } {
  return {
    version,
    stdout: outlet(process.stdout),
    stderr: outlet(process.stderr),
    get stdin() {
      return process.stdin
    },
    env: process.env,
    now: () => Date.now(),
    isTTY: process.stdout.isTTY,
    stderrIsTTY: process.stderr.isTTY,
    get stdinIsTTY() {
      return process.stdin.isTTY
    },
    // A terminal that does not know its size says 0.
    width: [process.stdout.columns, process.stderr.columns].find((columns) => columns > 0) ?? widthDefault,
    cwd: process.cwd(),
    isRoot: process.getuid?.() === 0,
    machine: { os: process.platform, arch: process.arch },
    onInterrupt: (listener) => {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    exit: (code) => process.exit(code),
    services,
  }
}

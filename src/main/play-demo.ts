import type { CliServices } from '#cli/services.ts'
import { runDemo } from './demo/run-demo.ts'

/** `shipway demo` of a real process: it needs more of the terminal than other commands, whose output it shows as it is. */
export const playDemo: CliServices['demo'] = (_world, options, signal) => {
  const world = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    isTTY: process.stdout.isTTY && process.stderr.isTTY,
    stdinIsTTY: process.stdin.isTTY,
    env: process.env,
  }
  return runDemo(world, options, signal)
}

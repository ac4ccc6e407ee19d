import type { CliServices } from '#cli/services.ts'
import { runDemo } from './demo/run-demo.ts'

/** `shipway demo` of a real process: its commands draw on the terminal themselves when both streams are one. */
export const playDemo: CliServices['demo'] = (world, options, signal) =>
  runDemo({ ...world, isTTY: world.isTTY && process.stderr.isTTY }, options, signal)

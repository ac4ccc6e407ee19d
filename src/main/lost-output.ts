import { endWithFailure } from '#cli/failure.ts'
import type { CliWorld } from '#cli/world.ts'
import { outputLost } from '#core/known/cli.ts'

/** Tells on standard error that standard output is lost, and returns the exit status for it. */
export function tellLostOutput(world: CliWorld, failure: Error): Promise<number> {
  return endWithFailure(world, {}, outputLost({ problem: failure.message, cause: failure }))
}

import './register-json.ts'
import { runCli } from '#cli/program.ts'
import { processWorld } from './process-world.ts'

const world = processWorld()
let status = await runCli(process.argv.slice(2), world)
// Whatever had to happen has happened: what is left (an idle connection, a timer) is not worth waiting for. Output into a pipe, a file or a
// terminal is written synchronously on Linux and macOS; what a slow reader has not taken yet is waited for.
for (const stream of [process.stdout, process.stderr]) {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve))
}
// A result that nobody can read is no success, whatever the command did.
if (world.stdout.failure !== undefined) {
  const { tellLostOutput } = await import('./lost-output.ts')
  const lost = await tellLostOutput(world, world.stdout.failure)
  if (status === 0) status = lost
}
process.exit(status)

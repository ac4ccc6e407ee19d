import { controlSequences } from '#core/view/plain-line.ts'
import { wrapSink } from './sink.ts'
import type { Sink } from './sink.ts'
import type { CliWorld } from './world.ts'

/** What our own footer begins a piece with: back to the start of the line, and away with it. */
const eraseLine = '\r\x1b[2K'

/**
 * The world with terminals that take colours and nothing else: whatever stands in a file, a commit or a message of git, it cannot move the cursor, change the title or
 * answer in the reader's place. A pipe keeps every byte, and bytes are a log that has been looked at before.
 */
export function tameWorld(world: CliWorld): CliWorld {
  if (!world.isTTY && !world.stderrIsTTY) return world
  // Not a copy: some members are worked out when they are first asked for.
  return Object.create(world, {
    ...(world.isTTY ? { stdout: { value: tameSink(world.stdout) } } : {}),
    ...(world.stderrIsTTY ? { stderr: { value: tameSink(world.stderr) } } : {}),
  }) as CliWorld
}

function tameSink(sink: Sink): Sink {
  return wrapSink(sink, (text) => {
    const start = text.startsWith(eraseLine) ? eraseLine : ''
    return start + text.slice(start.length).replace(controlSequences, (_, colour: string | undefined) => colour ?? '')
  })
}

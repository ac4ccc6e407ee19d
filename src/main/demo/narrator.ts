import { createInterface } from 'node:readline'
import { makePalette } from '#cli/palette.ts'
import type { Palette } from '#cli/palette.ts'
import type { DemoOptions, DemoWorld } from '#cli/services.ts'

/** Tells the story: headings, remarks, what was checked. Everything that it says has happened already. */
export class Narrator {
  readonly #world: DemoWorld
  readonly #palette: Palette
  readonly #write: (text: string) => void
  #acts = 0
  /** The output of a command ends here: what follows starts a paragraph of its own. */
  #isAfterOutput = false

  constructor(world: DemoWorld, options: DemoOptions) {
    this.#world = world
    this.#palette = makePalette(world, world.isTTY, undefined)
    const sink = options.json ? world.stderr : world.stdout
    this.#write = (text) => void sink.write(text)
  }

  title(text: string): void {
    this.#write(`${this.#palette.paint('bold', text)}\n`)
  }

  act(text: string): void {
    this.#acts += 1
    this.#isAfterOutput = false
    this.#write(`\n${this.#palette.paint(['bold', 'cyan'], `${this.#acts}. ${text}`)}\n\n`)
  }

  say(text: string): void {
    this.#paragraph()
    this.#write(`${text}\n`)
  }

  /** A command, as a person would type it. */
  command(text: string): void {
    this.#paragraph()
    this.#write(`${this.#palette.paint('dim', '$')} ${this.#palette.paint('bold', text)}\n`)
  }

  /** What a command printed, as it came. */
  output(text: string): void {
    this.#isAfterOutput = true
    if (text !== '') this.#write(text)
  }

  /** Something that the demo itself looked at and found to be so. */
  checked(text: string): void {
    this.#paragraph()
    this.#write(`${this.#palette.paint('green', '✓')} ${text}\n`)
  }

  blank(): void {
    this.#isAfterOutput = false
    this.#write('\n')
  }

  /** True for Enter and yes; false for anything else, the end of the input included. */
  async confirm(question: string, signal: AbortSignal): Promise<boolean> {
    this.#paragraph()
    this.#write(`${this.#palette.paint('yellow', '?')} ${question} [Y/n] `)
    // Not a terminal interface: the terminal stays in its normal mode, in which Ctrl-C is a signal.
    const lines = createInterface({ input: this.#world.stdin, terminal: false, signal })
    try {
      for await (const line of lines) return /^(?:y|yes)?$/i.test(line.trim())
    } finally {
      lines.close()
    }
    this.#write('\n')
    return false
  }

  #paragraph(): void {
    if (this.#isAfterOutput) this.#write('\n')
    this.#isAfterOutput = false
  }
}

import { wrapSink } from './sink.ts'
import type { Sink } from './sink.ts'
import type { CliWorld } from './world.ts'

/** Our symbols, each as wide as what stands for it, so that columns stay in line. */
const plain: Readonly<Record<string, string>> = {
  '✓': '+',
  '✗': 'x',
  '⊘': 'o',
  '⏳': '..',
  '…': '~',
  '│': '|',
  '▶': '>',
  '▸': '>',
  '→': '>',
  '›': '>',
  '·': '-',
  '’': "'",
}
const symbols = new RegExp(`[${Object.keys(plain).join('')}]`, 'gu')

/** A text with ASCII for our symbols; what came from outside keeps all its other letters. */
export function asciiText(text: string): string {
  return text.replace(symbols, (symbol) => plain[symbol] ?? symbol)
}

/**
 * The world with ASCII symbols, where `--ascii` asks for them or a terminal is set to another encoding than UTF-8. A pipe keeps every
 * byte unless it is asked otherwise, and a JSON document always does.
 */
export function asciiWorld(world: CliWorld, flags: { readonly ascii: boolean; readonly json: boolean }): CliWorld {
  const isTerminalPlain = !takesUtf8(world.env)
  const out = !flags.json && (flags.ascii || (world.isTTY && isTerminalPlain))
  const err = flags.ascii || (world.stderrIsTTY && isTerminalPlain)
  if (!out && !err) return world
  // Not a copy: some members are worked out when they are first asked for.
  return Object.create(world, {
    ...(out ? { stdout: { value: asciiSink(world.stdout) } } : {}),
    ...(err ? { stderr: { value: asciiSink(world.stderr) } } : {}),
  }) as CliWorld
}

/** Where nothing is said of the encoding, as in most containers, UTF-8 is right more often than not. */
function takesUtf8(env: CliWorld['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return locale === undefined || /utf-?8/i.test(locale)
}

function asciiSink(sink: Sink): Sink {
  return wrapSink(sink, asciiText)
}

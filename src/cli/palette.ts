import { styleText } from 'node:util'
import { controlSequences } from '#core/view/plain-line.ts'
import type { CliWorld } from './world.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours and symbols of one stream: all of them are plain when the stream is not for a person's eyes. */
export interface Palette {
  readonly isColoured: boolean
  readonly paint: (style: Style, text: string) => string
  /** Text from outside, a log line above all: keeps colours where colours are shown, and never any other control sequence. */
  readonly foreign: (text: string) => string
}

/** What `--no-color` and `--color` said; undefined: neither. */
export type ColourWish = boolean | undefined

/** The palette of a stream. Flag before NO_COLOR before FORCE_COLOR before CLICOLOR_FORCE before TERM=dumb before "is a terminal". */
export function makePalette(world: Pick<CliWorld, 'env'>, isTTY: boolean, wish: ColourWish): Palette {
  const isColoured = wantsColour(world.env, isTTY, wish)
  return {
    isColoured,
    paint: (style, text) => (isColoured && text !== '' ? styleText(style, text, { validateStream: false }) : text),
    foreign: isColoured ? keepColoursOnly : plainText,
  }
}

function wantsColour(env: CliWorld['env'], isTTY: boolean, wish: ColourWish): boolean {
  if (wish !== undefined) return wish
  if (isSet(env['NO_COLOR'])) return false
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false'
  if (isSet(env['CLICOLOR_FORCE']) && env['CLICOLOR_FORCE'] !== '0') return true
  if (env['TERM'] === 'dumb' || env['CLICOLOR'] === '0') return false
  return isTTY
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}

function keepColoursOnly(text: string): string {
  let isColourOpen = false
  const kept = text.replace(controlSequences, (_, colour: string | undefined) => {
    if (colour === undefined) return ''
    isColourOpen = colour !== '\x1b[0m' && colour !== '\x1b[m'
    return colour
  })
  return isColourOpen ? `${kept}\x1b[0m` : kept
}

function plainText(text: string): string {
  return text.replace(controlSequences, '')
}

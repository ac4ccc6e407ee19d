/** Global flags that take no value. */
const switches: ReadonlySet<string> = new Set([
  '--json',
  '-q',
  '--quiet',
  '--color',
  '--no-color',
  '--ascii',
  '--debug',
])
/** Global flags that take one: `-C DIR`, `--home DIR`, and the forms in one word. */
const valued: ReadonlySet<string> = new Set(['-C', '--home'])

/** A call with the global flags before the command taken off: `shipway -C DIR --json status` as git and make have it. */
export interface LeadingFlags {
  readonly flags: readonly string[]
  /** The command and what follows it. */
  readonly words: readonly string[]
}

/** Takes the global flags off the front. A flag whose value is missing is left in place: the parser says what is wrong with it. */
export function takeLeadingFlags(argv: readonly string[]): LeadingFlags {
  let at = 0
  for (let word = argv[at]; word !== undefined; word = argv[at]) {
    if (switches.has(word) || /^(?:-C.|--home=.)/.test(word)) at += 1
    else if (valued.has(word) && argv[at + 1] !== undefined) at += 2
    else break
  }
  return { flags: argv.slice(0, at), words: argv.slice(at) }
}

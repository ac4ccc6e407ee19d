/** Ends a `switch` over a closed union: a forgotten case does not compile, and a value from outside the union is a bug. */
export function unreachable(value: never): never {
  throw new Error(`Invariant broken: unexpected value ${JSON.stringify(value)}`)
}

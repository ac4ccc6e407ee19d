/** Names that did not exist before. */
export interface Ids {
  /** `<prefix>_` and a UUIDv7 in 26 lower-case base-32 characters: sorts by time of creation. */
  next(prefix: 'tk' | 'run' | 'dep' | 'apr' | 'bkp' | 'rst'): string
}

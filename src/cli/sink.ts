/** Where text goes. A `process.stdout` is one, and so is a test's buffer. */
export interface Sink {
  write(text: string): unknown
}

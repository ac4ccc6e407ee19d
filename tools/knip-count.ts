import type { Reporter } from 'knip'

/** Says how many files knip looked at, which its own reporters leave out; `tools/check.ts` reads it. */
const countReporter: Reporter = ({ counters }) => {
  console.log(`Looked at ${counters.total} files`)
}

export default countReporter

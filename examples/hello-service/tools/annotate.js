// A reporter for `node --test` that is calm in a log: one line when all is well, and for each failed test an annotation
// (`::error file=…`) that GitHub and Shipway show beside the change.
import { relative } from 'node:path'
import { inspect } from 'node:util'

// oxlint-disable-next-line import/no-default-export -- Node takes a reporter from the default export.
export default async function* annotate(events) {
  let passed = 0
  let failed = 0
  for await (const { type, data } of events) {
    if (data.details?.type === 'suite') continue
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message
    if (type === 'test:pass' && data.skip === undefined) passed += 1
    if (type !== 'test:fail') continue
    failed += 1
    const place = data.file === undefined ? '' : ` file=${relative(process.cwd(), data.file)},line=${data.line ?? 1}`
    yield `::error${place}::${escape(`${data.name}: ${reason(data.details.error)}`)}\n`
  }
  yield `${failed === 0 ? '✔' : '✖'} ${passed} tests passed, ${failed} failed\n`
}

function reason(error) {
  const cause = error.cause ?? error
  if (typeof cause !== 'object' || !('expected' in cause)) return String(cause?.message ?? cause)
  const [message] = cause.message.split('\n')
  return `${message}: expected ${inspect(cause.expected)}, got ${inspect(cause.actual)}`
}

/** As a workflow command wants its text: one line. */
function escape(text) {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

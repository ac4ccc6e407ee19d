import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node'

/**
 * Ends every test run with one plain line, `12 passed, 0 failed, 1 skipped`, that a CI reader can count. A test file
 * that did not load and an error outside of any test count as failed: they must not hide behind "0 failed". A story that
 * passed at its second attempt counts as passed and is named with what failed at first: it is a defect that waits for somebody.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const flaky: TestCase[] = []
    for (const module of modules) {
      flaky.push(...module.children.allTests('passed').filter((test) => test.diagnostic()?.flaky))
      const states = Array.from(module.children.allTests(), (test) => test.result().state)
      for (const state of states) counts[state === 'pending' ? 'failed' : state]++
      if (module.state() === 'failed' && !states.includes('failed')) counts.failed++
    }
    for (const test of flaky) process.stdout.write(`\n${flakyLine(test)}`)
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
  }
}

function flakyLine(test: TestCase): string {
  const causes = (test.result().errors ?? []).map(({ message }) => message.split('\n')[0])
  return `FLAKY: ${test.module.relativeModuleId} > ${test.fullName}: failed at first with: ${causes.join('; ')}\n`
}

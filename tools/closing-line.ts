import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Ends every test run with one plain line, `12 passed, 0 failed, 1 skipped`, that a CI reader can count. A test file
 * that did not load and an error outside of any test count as failed: they must not hide behind "0 failed".
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      const states = Array.from(module.children.allTests(), (test) => test.result().state)
      for (const state of states) counts[state === 'pending' ? 'failed' : state]++
      if (module.state() === 'failed' && !states.includes('failed')) counts.failed++
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
  }
}

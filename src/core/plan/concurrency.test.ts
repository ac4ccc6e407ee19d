import { describe, expect, test } from 'vitest'
import type { Template, WorkflowModel } from '#core/workflow/model.ts'
import { workflowConcurrency } from './concurrency.ts'

const scope = { contexts: { github: { ref: 'refs/heads/main', event_name: 'push' }, inputs: {}, vars: {} } }

function workflow(concurrency?: Template): WorkflowModel {
  return { file: 'ci.yml', name: 'CI', triggers: [], jobs: [], ...(concurrency === undefined ? {} : { concurrency }) }
}

describe('the concurrency group of a run', () => {
  const cases: readonly (readonly [Template | undefined, ReturnType<typeof workflowConcurrency>])[] = [
    [undefined, undefined],
    ['release', { group: 'release', cancelInProgress: false, queue: 'single' }],
    [
      { $expr: "format('ci-{0}', github.ref)" },
      { group: 'ci-refs/heads/main', cancelInProgress: false, queue: 'single' },
    ],
    [
      { group: 'x', 'cancel-in-progress': { $expr: "github.event_name == 'push'" } },
      { group: 'x', cancelInProgress: true, queue: 'single' },
    ],
    [
      { group: 'x', queue: 'max' },
      { group: 'x', cancelInProgress: false, queue: 'max' },
    ],
  ]
  test.each(cases)('%j', (concurrency, expected) => {
    expect(workflowConcurrency(workflow(concurrency), scope)).toEqual(expected)
  })

  test.each([
    [{ group: 'x', queue: 'max', 'cancel-in-progress': true }, /queue: max.*cancel-in-progress/],
    [{ group: 'x', queue: 'all' }, /"single" or "max".*"all"/],
  ] as const)('%j is an error', (concurrency, message) => {
    expect(() => workflowConcurrency(workflow(concurrency), scope)).toThrow(message)
  })

  test('that comes out empty is an error that names the workflow', () => {
    const call = () => workflowConcurrency(workflow({ $expr: 'github.nothing' }), scope)
    expect(call()).toBeUndefined()
    expect(() => workflowConcurrency(workflow({ group: { $expr: 'github.nothing' } }), scope)).toThrow(
      expect.objectContaining({
        code: 'CONCURRENCY_INVALID',
        message: expect.stringMatching(/"CI".*must not be empty/) as string,
      }) as Error,
    )
  })
})

import { expect, test } from 'vitest'
import { makePalette } from '../palette.ts'
import { beginStep, renderStepLog, renderTail, withoutHeader } from './step-log.ts'

const log = [
  '##[group]Run ./action',
  '##[endgroup]',
  '##[start-action display=Build;id=a.__run]',
  'built',
  '##[end-action id=a.__run;outcome=success;conclusion=success;duration_ms=3]',
]

test('people see the steps of a composite action without the marks around them', () => {
  const palette = makePalette({ env: {} }, false, false)
  const live = renderStepLog(beginStep(1, 'Run ./action'), log.join('\n'), palette)
  expect(live.join('\n')).toContain('built')
  expect(live.join('\n')).not.toContain('-action ')
  expect(renderTail(withoutHeader(log), palette)).toEqual(['built'])
})

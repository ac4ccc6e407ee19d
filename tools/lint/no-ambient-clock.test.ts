import { ruleTester } from './rule-tester.ts'
import { noAmbientClock } from './no-ambient-clock.ts'

ruleTester().run('house/no-ambient-clock', noAmbientClock, {
  valid: [
    'const text = new Date(now).toISOString()',
    'const at = Date.parse(text)',
    'const now = clock.now()',
    'const highest = Math.max(1, 2)',
  ],
  invalid: [
    { code: 'const now = Date.now()', errors: 1 },
    { code: 'const now = new Date()', errors: 1 },
    { code: 'const text = Date()', errors: 1 },
    { code: 'const chance = Math.random()', errors: 1 },
    { code: 'const id = crypto.randomUUID()', errors: 1 },
    { code: 'const t = performance.now()', errors: 1 },
  ],
})

import { ruleTester } from './rule-tester.ts'
import { errorInCatalogue } from './error-in-catalogue.ts'

ruleTester().run('house/error-in-catalogue', errorInCatalogue, {
  valid: [
    'throw known.runNotFound({ run })',
    "throw new Error('Invariant broken')",
    'if (error instanceof KnownError) report(error)',
  ],
  invalid: [{ code: "throw new KnownError({ code: 'RUN_NOT_FOUND', kind: 'usage', message: 'no' })", errors: 1 }],
})

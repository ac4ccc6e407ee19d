import { ruleTester } from './rule-tester.ts'
import { noMessageBranching } from './no-message-branching.ts'

ruleTester().run('house/no-message-branching', noMessageBranching, {
  valid: [
    "if (error.code === 'RUN_NOT_FOUND') retry()",
    "if (commit.message.startsWith('chore:')) skip()",
    "const text = error.message.endsWith('.') ? error.message : error.message + '.'",
    'print(error.message)',
    "if (message.type === 'job') take()",
    'expect(pattern.test(line))',
  ],
  invalid: [
    { code: "if (error.message === 'no such run') retry()", errors: 1 },
    { code: "if (error?.message.includes('no such')) retry()", errors: 1 },
    { code: 'if (/no such/.test((e as Error).message)) retry()', errors: 1 },
    { code: "switch (parseError.message) { case 'x': retry() }", errors: 1 },
    { code: 'retry(failure.cause.message.match(/x/))', errors: 1 },
    { code: "if ('x' != err.message) retry()", errors: 1 },
  ],
})

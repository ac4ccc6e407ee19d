import { ruleTester } from './rule-tester.ts'
import { argvOnly } from './argv-only.ts'

ruleTester().run('house/argv-only', argvOnly, {
  valid: [
    "import { execFile, spawn } from 'node:child_process'",
    "spawn('git', ['status'], { cwd, shell: false })",
    'const found = /x/.exec(text)',
    'render({ shell: true })',
  ],
  invalid: [
    { code: "import { exec } from 'node:child_process'", errors: 1 },
    { code: "import { execSync as run } from 'child_process'", errors: 1 },
    { code: "spawn('git status', { shell: true })", errors: 1 },
    { code: "child.execFile('git', [name], { shell: '/bin/sh' })", errors: 1 },
    { code: "spawn('git', [], { 'shell': wanted })", errors: 1 },
    { code: "spawn('git', [], { shell })", errors: 1 },
  ],
})

// A process that takes the agent lock and keeps it: `node lock-holder.ts LOCK`. Tells `held`, or `refused` and ends.
// With `child` as third argument it also starts a process of its own that outlives it, and tells its pid.
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { takeAgentLock } from '#adapters/agent-lock/agent-lock.ts'

const [, , path = '', wish = ''] = process.argv
const lock = await takeAgentLock(path)
if (lock === undefined) {
  writeSync(1, 'refused\n')
} else {
  const child = wish === 'child' ? spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }) : undefined
  writeSync(1, `held ${child?.pid ?? ''}\n`)
  process.stdin.resume()
}

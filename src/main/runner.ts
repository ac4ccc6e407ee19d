import { runRunner } from '#runner/main.ts'

// Entry point of the process that executes jobs; the agent starts it. It loads nothing but the runner, because its start-up
// is a part of every first job.
await runRunner(process.stdin, process.stdout)
process.exit(0)

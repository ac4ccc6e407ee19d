import { keepCompiledCode } from './compiled-code.ts'

// Entry point of the process that executes jobs; the agent starts it. It loads nothing but the runner, because its start-up
// is a part of every first job.
keepCompiledCode()
const { runRunner } = await import('#runner/main.ts')
await runRunner(process.stdin, process.stdout)
process.exit(0)

import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { serveMatches } from '#runner/matcher/worker.ts'

// Entry point of the thread that tries the expressions of problem matchers; a runner starts it when a step brings the first one.
const { port, memory } = workerData as { readonly port: MessagePort; readonly memory: Int32Array }
serveMatches(port, memory)

import type { JobOrder } from '#core/run/job-order.ts'
import { JobService } from '#runner/service/job-service.ts'

// A process that only serves a job: `node service-process.ts ORDER`. It prints its address and token, and ends with its input.

const order = JSON.parse(process.argv[2] ?? '') as JobOrder
const service = new JobService(order, () => Date.now())
const url = await service.listen('127.0.0.1')
process.stdout.write(`${JSON.stringify({ url, token: service.token })}\n`)
process.stdin.resume().on('end', () => void service[Symbol.asyncDispose]())

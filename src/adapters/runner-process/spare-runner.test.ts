import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { SpareRunner } from './spare-runner.ts'

/** Says that it is there, repeats what it hears, and ends with its input. */
const echo = `
process.stdout.write('ready ' + process.pid + '\\n')
process.stdin.pipe(process.stdout)
`
const program = { node: process.execPath, args: ['-e', echo], env: process.env }

test('a spare runner is given away once, with everything that it has said so far', async () => {
  const spare = new SpareRunner()
  spare.start(program)
  spare.start(program)
  const child = spare.take()
  onTestFinished(() => void child?.kill('SIGKILL'))
  if (child === undefined) throw new Error('There was no spare runner')

  const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  child.stdin.end('a job\n')
  const [repeated] = (await once(child.stdout, 'data')) as [string]

  expect(said).toBe(`ready ${child.pid}\n`)
  expect(repeated).toBe('a job\n')
  expect(spare.take()).toBeUndefined()
})

test('one that could not be started, or has died, is not given away', async () => {
  const missing = new SpareRunner()
  missing.start({ ...program, node: '/nonexistent/node' })
  expect(missing.take()).toBeUndefined()

  const spare = new SpareRunner()
  spare.start({ ...program, args: ['-e', ''] })
  await expect.poll(() => spare.isAlive).toBe(false)
  expect(spare.take()).toBeUndefined()
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CallOutput } from './call-output.ts'

test('output is found between its marks wherever the pieces are cut', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('utf8'))
  const cuts = fc.array(fc.nat(400), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(bytes, bytes, fc.nat(254), cuts, async (stdout, stderr, exitCode, places) => {
      const output = new CallOutput('call-7', 10_000)

      for (const piece of cut(`noise\n\ncall-7 begin\n${stderr}\ncall-7 end\n`, places)) output.addStderr(piece)
      for (const piece of cut(`noise\ncall-7 begin\n${stdout}\ncall-7 end ${exitCode}\n`, places))
        output.addStdout(piece)

      expect(output.isFinished).toBe(true)
      expect(await output.finished).toEqual({ exitCode, stdout, stderr })
    }),
  )
})

test('the marks of another call mean nothing', () => {
  const output = new CallOutput('call-7', 10_000)

  output.addStdout(Buffer.from('\ncall-6 end 0\n'))
  output.addStderr(Buffer.from('\ncall-6 end\n'))

  expect(output.isFinished).toBe(false)
})

test('more than the limit is said once, whatever follows', async () => {
  const output = new CallOutput('call-7', 10)

  output.addStdout(Buffer.from('a long answer'))

  expect(await output.finished).toBe('tooLarge')
})

function cut(text: string, places: readonly number[]): readonly Buffer[] {
  const whole = Buffer.from(text)
  const ends = [...places.filter((place) => place < whole.length), whole.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end))
}

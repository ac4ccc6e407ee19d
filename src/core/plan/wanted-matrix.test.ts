import { describe, expect, test } from 'vitest'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { planWorkflow } from './plan-workflow.ts'
import { findUnmatched } from './wanted-matrix.ts'
import type { UnmatchedMatrix, WantedValue } from './wanted-matrix.ts'

const plain = `
  test:
    runs-on: ubuntu-latest
    strategy: { matrix: { os: [linux, mac], node: [20, 22], exclude: [{ os: mac, node: 20 }] } }
    steps: [{ run: 'true' }]
  lint: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`
const dynamic = `
  each:
    needs: test
    runs-on: ubuntu-latest
    strategy: { matrix: { part: '\${{ fromJSON(needs.test.outputs.list) }}' } }
    steps: [{ run: 'true' }]
`
const leftOut = `
  never:
    if: github.ref == 'refs/heads/other'
    runs-on: ubuntu-latest
    strategy: { matrix: { part: [a] } }
    steps: [{ run: 'true' }]
`

async function unmatched(jobs: string, ...wanted: readonly WantedValue[]): Promise<UnmatchedMatrix | undefined> {
  const { value } = await parseWorkflow({ file: 'ci.yml', text: `on: push\njobs:${jobs}` })
  if (value === undefined) throw new Error('the workflow of this test is invalid')
  const linked = { workflow: value, calls: {} }
  const platforms = { platforms: {}, machine: { os: 'linux', arch: 'x64' } }
  const ref = 'refs/heads/main'
  const plan = planWorkflow(linked, {
    event: { name: 'push', ref, payload: {} },
    github: { ref },
    inputs: {},
    vars: {},
    platforms,
  })
  return findUnmatched([{ linked, plan, only: undefined }], wanted)
}

const of = (key: string, value: string): WantedValue => ({ key, value })

describe('A value that --matrix asks for', () => {
  test.for<[string, string, readonly WantedValue[], WantedValue | undefined]>([
    ['a leg has it', plain, [of('os', 'linux')], undefined],
    ['a number is compared as it is written', plain, [of('node', '22')], undefined],
    ['two values of one key', plain, [of('node', '20'), of('node', '22')], undefined],
    ['no leg has the value', plain, [of('os', 'windows')], of('os', 'windows')],
    ['one of two values of a key is missing', plain, [of('os', 'linux'), of('os', 'windows')], of('os', 'windows')],
    ['no job has the key', plain, [of('arch', 'arm')], of('arch', 'arm')],
    ['no leg has both', plain, [of('os', 'mac'), of('node', '20')], of('os', 'mac')],
    ['a matrix is not known yet', plain + dynamic, [of('os', 'windows')], undefined],
    ['a job that does not run now may have it', plain + leftOut, [of('part', 'a')], undefined],
  ])('%s', async ([, jobs, wanted, missed]) => {
    expect((await unmatched(jobs, ...wanted))?.missed).toEqual(missed)
  })

  test('is told with the values that there are', async () => {
    expect((await unmatched(plain, of('os', 'windows')))?.known).toEqual({ os: ['linux', 'mac'], node: ['20', '22'] })
  })
})

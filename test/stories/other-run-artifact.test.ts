import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const upload = `
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "made by $GITHUB_REPOSITORY" > made.txt
          echo "number $GITHUB_RUN_ID."
      - { uses: actions/upload-artifact@v4, with: { name: made, path: made.txt } }
`
const download = `
on: { workflow_dispatch: { inputs: { run: { required: true } } } }
jobs:
  take:
    runs-on: ubuntu-latest
    steps:
      - { uses: actions/download-artifact@v4, with: { name: made, run-id: '\${{ inputs.run }}' } }
      - run: cat made.txt
`

test('artifacts of another run are for runs of the same repository, not for others that share the home', async () => {
  const files = { '.github/workflows/make.yml': upload, '.github/workflows/take.yml': download }
  using own = new Repository(files)
  using other = new Repository(files)
  await using shipway = new Shipway()
  const run = (root: string, ...args: readonly string[]) => shipway.call(root, 'run', ...args, '--json')
  const made = await run(own.root, 'push', '--repository', 'acme/own')
  const { id } = JSON.parse(made.stdout) as { id: string }

  const take = ['workflow_dispatch', '--workflow', 'take.yml', '--input', `run=${id}`]
  const same = await run(own.root, ...take, '--repository', 'acme/own')
  const number = /number (\d{15,16})\./.exec(made.stderr)?.[1] ?? 'nothing'
  const byNumber = await run(own.root, ...take.slice(0, -1), `run=${number}`, '--repository', 'acme/own')
  const stranger = await run(other.root, ...take, '--repository', 'acme/other')

  expect(same).toMatchObject({ status: 0, stderr: expect.stringContaining('made by acme/own') })
  expect(byNumber).toMatchObject({ status: 0, stderr: expect.stringContaining('made by acme/own') })
  expect(stranger).toMatchObject({ status: 1, stderr: expect.stringContaining(`No run "${id}" of this repository`) })
})

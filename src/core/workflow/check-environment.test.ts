import { expect, test } from 'vitest'
import { checkEnvironmentNames } from './check-environment.ts'

const job = (lines: string): string => `on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    ${lines}\n`
const deploy = (environment: string): string =>
  job(`steps: [{ uses: shipway/deploy@v1, with: { environment: ${environment} } }]`)

test.for<readonly [text: string, found: readonly string[]]>([
  [job('environment: staging'), []],
  [job('environment: stagin'), ['warning 5:18 Did you mean "staging"?']],
  [job('environment: { name: stagin, url: https://x }'), ['warning 5:26 Did you mean "staging"?']],
  [job('environment: elsewhere'), ['warning 5:18 Environments: staging, production.']],
  [job("environment: ${{ github.ref_name == 'main' && 'production' || 'dev' }}"), []],
  [deploy('production'), []],
  [deploy('prodution'), ['error 5:61 Did you mean "production"?']],
  [deploy('${{ inputs.where }}'), []],
  [job('steps: [{ uses: actions/checkout@v4, with: { environment: other } }]'), []],
  ['on: push\njobs: none', []],
  ['', []],
])('environments that shipway.yml does not have are found in %j', async ([text, found]) => {
  const diagnostics = await checkEnvironmentNames({ file: 'ci.yml', text }, ['staging', 'production'])

  const shown = diagnostics.map(
    ({ severity, range, hint }) => `${severity} ${range.start.line}:${range.start.column} ${hint}`,
  )
  expect(shown).toEqual(found)
})

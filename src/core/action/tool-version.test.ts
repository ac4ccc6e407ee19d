import { describe, expect, test } from 'vitest'
import { newestIn, nodeRange, pythonRange, versionFromFile, versionIn } from './tool-version.ts'

const found = ['16.20.2', '18.19.0', '20.1.0', '20.11.1', '21.0.0', '24.2.0'].map((version) => ({ version }))

describe('a version of Node', () => {
  test.each([
    ['20', '20.11.1'],
    ['v20.1.0', '20.1.0'],
    ['20.x', '20.11.1'],
    ['>=18 <20', '18.19.0'],
    ['^16 || ^18', '18.19.0'],
    ['lts/*', '24.2.0'],
    ['lts/iron', '20.11.1'],
    ['lts/Hydrogen', '18.19.0'],
    ['lts/-2', '20.11.1'],
    ['latest', '24.2.0'],
    ['node', '24.2.0'],
    ['22', undefined],
    ['lts/argon', undefined],
  ])('%s is %s of those that are there', (written, version) => {
    const range = nodeRange(written)
    expect(range).toBeDefined()
    expect(newestIn(found, range ?? '')?.version).toBe(version)
  })

  test.each(['banana', 'lts/none', 'lts/-99', '20..1'])('%s is none', (written) => {
    expect(nodeRange(written)).toBeUndefined()
  })
})

test.each([
  ['3.12', '3.12.4'],
  ['3.x', '3.13.0'],
  ['>=3.10 <3.12', '3.11.9'],
  ['3.13-dev', '3.13.0'],
  ['3.14.0-rc.1', '3.14.0-rc.1'],
])('python %s is %s of those that are there', (written, version) => {
  const pythons = ['3.9.2', '3.11.9', '3.12.4', '3.13.0', '3.14.0-rc.1'].map((item) => ({ version: item }))
  expect(newestIn(pythons, pythonRange(written) ?? '')?.version).toBe(version)
})

test.each([
  ['v20.1.0', '20.1.0'],
  ['Python 3.12.1+', '3.12.1'],
  ['cpython-3.11.9-linux-x86_64-gnu', '3.11.9'],
  ['Python 3.14.0rc2', '3.14.0-rc.2'],
  ['nothing', undefined],
])('in "%s" is the version %s', (text, version) => {
  expect(versionIn(text)).toBe(version)
})

test.each([
  ['.nvmrc', '# ours\nv20.1.0\n', 'node', 'v20.1.0'],
  ['.node-version', 'node-18', 'node', '18'],
  ['.tool-versions', 'python 3.12.1\nnodejs 20.2.0\n', 'node', '20.2.0'],
  ['.tool-versions', 'python 3.12.1\nnodejs 20.2.0\n', 'python', '3.12.1'],
  ['package.json', '{"engines":{"node":">=18"}}', 'node', '>=18'],
  ['package.json', '{"engines":{"node":">=18"},"volta":{"node":"20.1.0"}}', 'node', '20.1.0'],
  ['package.json', '{', 'node', undefined],
  ['pyproject.toml', '[project]\nrequires-python = ">=3.10,<3.13"\n', 'python', '>=3.10 <3.13'],
  ['.python-version', '\n', 'python', undefined],
] as const)('%s with %j says of %s: %s', (name, text, tool, version) => {
  expect(versionFromFile(name, text, tool)).toBe(version)
})

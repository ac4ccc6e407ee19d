import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { componentVersion, versionPatternProblem, versionVariable } from './component-version.ts'

const found: readonly (readonly [string, string, string])[] = [
  ['backend/config/__init__.py', '"""The shop."""\n\n__version__ = "1.4.2"\n', '1.4.2'],
  ['a/__init__.py', "import os\n__version__: str = '2.0.0rc1'  # next\n", '2.0.0rc1'],
  ['a/settings.py', 'VERSION = (1, 4, 2)\n', '1.4.2'],
  ['frontend/package.json', '{"name": "web", "version": "2.0.1", "dependencies": {"a": {"version": "9"}}}', '2.0.1'],
  ['package.json', '\uFEFF{"version": "0.0.0-dev+5"}', '0.0.0-dev+5'],
  ['pyproject.toml', '[tool.x]\nversion = "9"\n[project]\nname = "x"\nversion = "3.1"\n', '3.1'],
  ['pyproject.toml', "[tool.poetry]\nversion = '3.2'\n", '3.2'],
  ['Cargo.toml', '[package]\nversion = "0.3.0"\n[dependencies]\nserde = { version = "1" }\n', '0.3.0'],
  ['Cargo.toml', '[workspace.package]\nversion = "0.4.0"\n[package]\nversion.workspace = true\n', '0.4.0'],
  ['VERSION', 'v5.0\n\n', 'v5.0'],
  ['deploy/version.txt', '7\r\n', '7'],
  ['chart/Chart.yaml', 'apiVersion: v2\nversion: 1.2.3 # of the chart\nappVersion: "9"\n', '1.2.3'],
]

const refused = [
  row('a/__init__.py', 'x = 1\n', 'it has no line __version__'),
  row('a/__init__.py', '\n__version__ = metadata("x")\n', 'no plain text but metadata("x")', 2),
  row('package.json', '{"version": 2}', 'no text'),
  row('package.json', '{"name": "x"}', 'it has no "version"'),
  row('package.json', '{"version": ', 'it is not JSON'),
  row('package.json', '{\n"version": "$(id)"}', '"$(id)" is no version', 2),
  row('pyproject.toml', '[project]\ndynamic = ["version"]\n', 'dynamic', 2),
  row('Cargo.toml', '[dependencies]\nversion = "1"\n', 'in [package] or [workspace.package]'),
  row('VERSION', '1.0\n2.0\n', 'more than one line', 2),
  row('VERSION', '\n', 'it is empty'),
  row('build.gradle', "version = '1.0'", 'with a "pattern"'),
]

function row(path: string, text: string, words: string, line?: number) {
  return { path, text, words, ...(line === undefined ? {} : { line }) }
}

describe('the version of a component', () => {
  test.each(found)('is read from %s', (path, text, version) => {
    expect(componentVersion(path, text)).toEqual({ kind: 'version', version })
  })

  test.each(refused)('is not read from a $path that holds $text', ({ path, text, words, ...place }) => {
    expect(componentVersion(path, text)).toEqual({
      kind: 'problem',
      problem: expect.stringContaining(words) as string,
      ...place,
    })
  })

  test('is read from any file by a text with a gap', () => {
    const gradle = "implementation 'a:1'\nversion = '1.0-beta'\n"
    expect(componentVersion('build.gradle', gradle, "version = '{version}'")).toMatchObject({ version: '1.0-beta' })
    expect(componentVersion('build.gradle', gradle, 'release {version}')).toMatchObject({ kind: 'problem' })
    expect(versionPatternProblem("version = '{version}'")).toBeUndefined()
    for (const pattern of ['{version}', 'version', 'a {version} {version}', 'a\n{version}'])
      expect(versionPatternProblem(pattern)).toBeDefined()
  })

  test('never makes the reader throw, whatever the file holds', () => {
    const path = fc.constantFrom('a.py', 'a.json', 'Cargo.toml', 'a.toml', 'VERSION', 'Chart.yaml', 'other')
    const text = fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^(?:version|__version__) ?= ?.*$/))
    fc.assert(
      fc.property(
        path,
        text,
        fc.constantFrom(undefined, '', 'a {version}', '{version}', 'e{version}e'),
        (name, content, pattern) => {
          expect(componentVersion(name, content, pattern)).toHaveProperty('kind')
        },
      ),
    )
  })

  test('has the variable of the document', () => {
    expect(['backend', 'frontend', 'web-ui.2'].map((name) => versionVariable(name))).toEqual([
      'BACKEND_VERSION',
      'FRONTEND_VERSION',
      'WEB_UI_2_VERSION',
    ])
  })
})

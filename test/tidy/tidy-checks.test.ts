import { describe, expect, test } from 'vitest'
import { findCycles } from './cycle.ts'
import { checkHeadings, checkLinks } from './document.ts'
import { checkImports, parseImportTable } from './import-table.ts'
import { checkDependencies, checkFeatures, featureIds } from './inventory.ts'
import { checkSizes } from './size.ts'
import { parseSourceFile } from './source-file.ts'
import { checkErrorCodes, checkFileNames, checkWords } from './wording.ts'

const table = parseImportTable(`
| layer      | may import                              | node built-ins |
| ---------- | --------------------------------------- | -------------- |
| \`core\`     | \`core\`                                  | none           |
| \`adapters\` | \`core\`, \`adapters\` (own folder)         | any            |
| \`main\`     | everything                              | any            |
`)

describe('import table', () => {
  test('fails where there is no table to read', () => {
    expect(() => parseImportTable('# Architecture\n\nNo table.\n')).toThrow('no import table')
  })

  test('fails where there is no source to check', () => {
    expect(() => checkImports([], table)).toThrow('no source file')
  })

  test.for([
    ['src/core/a.ts', "import { b } from './b.ts'", undefined],
    ['src/core/a.ts', "import { b } from '#core/b.ts'", undefined],
    ['src/core/a.ts', "import { b } from 'yaml'", undefined],
    ['src/adapters/git/a.ts', "import { readFile } from 'node:fs/promises'", undefined],
    ['src/adapters/git/a.ts', "import { b } from './deep/b.ts'", undefined],
    ['src/main/a.ts', "import { b } from '#adapters/git/b.ts'", undefined],
    ['src/core/a.ts', "import { b } from 'node:fs'", 'core uses no built-in of Node'],
    ['src/core/a.ts', "import { b } from 'fs/promises'", 'core uses no built-in of Node'],
    ['src/core/a.ts', "import type { b } from '#adapters/git/b.ts'", 'core may not import adapters'],
    ['src/core/a.ts', "export * from '../adapters/git/b.ts'", 'core may not import adapters'],
    ['src/core/a.ts', "export type { b } from '#main/b.ts'", 'core may not import main'],
    ['src/core/a.ts', "const b = await import('#main/b.ts')", 'core may not import main'],
    ['src/core/a.ts', "let b: import('#main/b.ts').B", 'core may not import main'],
    ['src/core/a.ts', "import '#main/b.ts'", 'core may not import main'],
    ['src/core/a.ts', "import { b } from '../../test/rig/b.ts'", 'an import leaves src/'],
    ['src/main/a.ts', "import { b } from '#helpers/b.ts'", 'does not name helpers'],
    ['src/adapters/git/a.ts', "import { b } from '../ssh/b.ts'", 'may not import its sibling ssh'],
    ['src/adapters/git/a.ts', "import { b } from '#adapters/ssh/b.ts'", 'may not import its sibling ssh'],
    ['src/tools/a.ts', "import { b } from './b.ts'", 'does not name the folder src/tools'],
  ] as const)('%s: %s → %s', ([path, text, problem]) => {
    const problems = checkImports([parseSourceFile(path, text)], table)

    expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })
})

describe('cycles', () => {
  test('are found through types, subpaths and longer ways', () => {
    const files = [
      parseSourceFile('src/core/a.ts', "import type { B } from '#core/b.ts'"),
      parseSourceFile('src/core/b.ts', "import { c } from './deep/c.ts'"),
      parseSourceFile('src/core/deep/c.ts', "export { a } from '../a.ts'"),
      parseSourceFile('src/core/d.ts', "import { a } from './a.ts'"),
    ]

    expect(findCycles(files)).toEqual(['src/core/a.ts → src/core/b.ts → src/core/deep/c.ts → src/core/a.ts'])
  })

  test('are not closed by what is loaded only when it is asked for', () => {
    const files = [
      parseSourceFile('src/cli/table.ts', "export const load = () => import('./complete.ts')"),
      parseSourceFile('src/cli/complete.ts', "import { load } from './table.ts'"),
    ]

    expect(findCycles(files)).toEqual([])
  })

  test('are not two ways to the same file', () => {
    const files = [
      parseSourceFile('src/core/a.ts', "import './b.ts'\nimport './c.ts'"),
      parseSourceFile('src/core/b.ts', "import './c.ts'"),
      parseSourceFile('src/core/c.ts', ''),
    ]

    expect(findCycles(files)).toEqual([])
  })
})

describe('sizes', () => {
  const longFunction = `export function draw() {\n${'  step()\n'.repeat(80)}}\n`
  const long = [parseSourceFile('src/core/a.ts', `${longFunction}${'\n'.repeat(400)}`)]
  const reason = 'A table of cases that belong together.'

  test('ask a long file and a long function for a reason', () => {
    expect(checkSizes(long, [])).toEqual([
      expect.stringContaining('src/core/a.ts has 482 lines'),
      expect.stringContaining('src/core/a.ts: draw has 82 lines'),
    ])
  })

  test('let stay what has a reason, and not grow', () => {
    const file = { file: 'src/core/a.ts', lines: 482, reason }
    const draw = { file: 'src/core/a.ts', function: 'draw', lines: 82, reason }

    expect(checkSizes(long, [file, draw])).toEqual([])
    expect(checkSizes(long, [file, { ...draw, lines: 81 }])).toEqual(['src/core/a.ts: draw grew from 81 to 82 lines'])
    expect(checkSizes(long, [{ ...file, reason: '' }, draw])).toEqual([expect.stringContaining('without a reason')])
  })

  test('take off the list what has become short', () => {
    const short = [parseSourceFile('src/core/a.ts', 'export const a = 1\n')]

    expect(checkSizes(short, [{ file: 'src/core/a.ts', lines: 482, reason }])).toEqual([
      expect.stringContaining('take it off'),
    ])
  })

  test('do not count the methods of what a function makes: each is measured by itself', () => {
    const method = `    async draw() {\n${'      step()\n'.repeat(50)}    },\n`
    const maker = `export function makePen() {\n  return {\n${method}${method.replace('async draw() {', 'erase: () => {')}  }\n}\n`

    expect(checkSizes([parseSourceFile('src/core/pen.ts', maker)], [])).toEqual([])
    expect(checkSizes([parseSourceFile('src/core/pen.ts', maker.replaceAll('step()', 'step()\n'))], [])).toEqual([
      expect.stringContaining('src/core/pen.ts: draw has 102 lines'),
      expect.stringContaining('src/core/pen.ts: erase has 102 lines'),
    ])
  })

  test('count the callbacks of a function, which have no name', () => {
    const caller = `export function drawAll() {\n  pens.map((pen) => {\n${'    step()\n'.repeat(80)}  })\n}\n`

    expect(checkSizes([parseSourceFile('src/core/pen.ts', caller)], [])).toEqual([
      expect.stringContaining('drawAll has 84 lines'),
      expect.stringContaining('drawAll has 82 lines'),
    ])
  })

  test('do not count what holds tests', () => {
    const suite = parseSourceFile('test/conformance/a.ts', `import { test } from 'vitest'\n${longFunction}`)

    expect(checkSizes([suite], [])).toEqual([])
  })
})

describe('documents', () => {
  test('need one heading, and code blocks hold none', () => {
    const documents = [
      { path: 'a.md', text: '# A\n\n```sh\n# a comment\n```\n' },
      { path: 'b.md', text: 'No heading.\n' },
      { path: 'c.md', text: '# C\n\n# Again\n' },
    ]

    expect(checkHeadings(documents)).toEqual([
      expect.stringContaining('b.md has 0'),
      expect.stringContaining('c.md has 2'),
    ])
  })

  test.for([
    ['[x](other.md)', undefined],
    ['[x](./other.md#the-second-part)', undefined],
    ['[x](#here)', undefined],
    ['[x](https://example.org/no)', undefined],
    ['`[x](no.md)`', undefined],
    ['[x](../README.md)', undefined],
    ['[x](no.md)', 'leads nowhere'],
    ['[x](other.md#third-part)', 'has no heading #third-part'],
    ['[x](#nowhere)', 'has no heading #nowhere'],
  ] as const)('%s → %s', ([link, problem]) => {
    const documents = [
      { path: 'docs/a.md', text: `# Here\n\n${link}\n` },
      { path: 'docs/other.md', text: '# Other\n\n## The "second" part\n' },
    ]
    const exists = (path: string) => ['docs/a.md', 'docs/other.md', 'README.md'].includes(path)

    expect(checkLinks(documents, exists)).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
  })
})

describe('words', () => {
  /** So that this file does not hold the words itself. */
  const spell = (...parts: readonly string[]) => parts.join('')

  test.for([
    [spell('// TO', 'DO(#12): later'), undefined],
    ['const fixed = 1', undefined],
    ['test.skipIf(missing)("…")', undefined],
    [spell('// FIX', 'ME'), 'unfinished'],
    [spell('// TO', 'DO: later'), 'names no issue'],
    [spell('describe.on', 'ly("…")'), 'switched off'],
    [spell('  it.sk', 'ip("…")'), 'switched off'],
  ] as const)('%s → %s', ([text, problem]) => {
    expect(checkWords([{ path: 'a.ts', text }])).toEqual(
      problem === undefined ? [] : [expect.stringContaining(problem)],
    )
  })

  test('file names say something', () => {
    expect(checkFileNames(['src/core/json.ts', 'src/core/utility.ts', 'docs/commons.md'])).toEqual([])
    expect(checkFileNames(['src/utils/a.ts', 'src/core/helper.ts', 'src/common.test.ts', 'misc/a.ts'])).toHaveLength(4)
  })

  test('error codes are plain, unique and NOUN_STATE', () => {
    const make = (code: string) => `throw new KnownError({ code: ${code}, kind: 'red', message: 'x' })`
    const catalogue = [
      { path: 'a.ts', text: `${make("'RUN_NOT_FOUND'")}; ${make("'Broken'")}` },
      { path: 'b.ts', text: `${make("'RUN_NOT_FOUND'")}; ${make('code')}; ${make('reason.code')}` },
    ]

    expect(checkErrorCodes(catalogue).problems).toEqual([
      expect.stringContaining('Broken is not NOUN_STATE'),
      expect.stringContaining('RUN_NOT_FOUND is also in a.ts'),
      expect.stringContaining('computed'),
    ])
  })
})

describe('inventories', () => {
  const rows = featureIds.map((id) => ({ id, test: '', state: 'not yet' }))

  test('every feature has its row', () => {
    expect(featureIds).toHaveLength(95)
    expect(checkFeatures(rows, () => true)).toEqual([])
    expect(checkFeatures(rows.slice(1), () => true)).toEqual([expect.stringContaining('P1')])
    expect(checkFeatures([...rows, { id: 'X1', test: '', state: 'done' }], () => true)).toHaveLength(2)
  })

  test('a claim needs a test that is there', () => {
    const claim = (test: string, state: string) =>
      checkFeatures([{ id: 'P1', test, state }, ...rows.slice(1)], (path) => path === 'a.test.ts')

    expect(claim('`a.test.ts`', 'partial: on one host')).toEqual([])
    expect(claim('`b.test.ts`', 'done')).toEqual([expect.stringContaining('missing: b.test.ts')])
    expect(claim('', 'done')).toEqual([expect.stringContaining('without a test')])
    expect(claim('`a.test.ts`', 'almost')).toEqual([expect.stringContaining('neither')])
  })

  test('dependencies and their lines agree', () => {
    const markdown =
      '# A\n\n## 9. Dependencies\n\n| `yaml` | reads |\n| `left` | pads |\n\n## Glossary\n\n| `pg` | no |\n'

    expect(checkDependencies(['yaml', 'pg'], markdown)).toEqual([
      expect.stringContaining('does not explain the dependency pg'),
      expect.stringContaining('explains left'),
    ])
    expect(checkDependencies(['yaml'], '# A\n')).toEqual([expect.stringContaining('no section')])
  })
})

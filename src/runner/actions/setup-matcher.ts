import type { MatcherModel } from '#core/matcher/model.ts'

/** Problems in the output of `tsc` and of ESLint, in two of its formats: under the names that `actions/setup-node` gives them. */
export const nodeMatchers: readonly MatcherModel[] = [
  {
    owner: 'tsc',
    severity: '',
    patterns: [
      {
        regexp: String.raw`^(?:\s+\d+>)?(\S.*)\((\d+)(?:,(\d+)(?:,\d+){0,2})?\)\s*:\s+(error|warning|info)\s+(\w{1,2}\d+)\s*:\s*(.*)$`,
        file: 1,
        line: 2,
        column: 3,
        severity: 4,
        code: 5,
        message: 6,
        loop: false,
      },
    ],
  },
  {
    // Theirs has slashes around its expression and never finds anything; this one does.
    owner: 'eslint-compact',
    severity: '',
    patterns: [
      {
        regexp: String.raw`^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$`,
        file: 1,
        line: 2,
        column: 3,
        severity: 4,
        message: 5,
        code: 6,
        loop: false,
      },
    ],
  },
  {
    owner: 'eslint-stylish',
    severity: '',
    patterns: [
      { regexp: String.raw`^\s*(\S.*)$`, file: 1, loop: false },
      {
        regexp: String.raw`^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$`,
        line: 1,
        column: 2,
        severity: 3,
        message: 4,
        code: 5,
        loop: true,
      },
    ],
  },
]

/** The line of a traceback that raises, under the name that `actions/setup-python` gives it. */
export const pythonMatchers: readonly MatcherModel[] = [
  {
    owner: 'python',
    severity: '',
    patterns: [
      { regexp: String.raw`^\s*File\s"(.*)",\sline\s(\d+),\sin\s.*$`, file: 1, line: 2, loop: false },
      { regexp: String.raw`^\s*raise\s.*\('(.*)'\)$`, message: 1, loop: false },
    ],
  },
]

/** Part of something that was executed. */
export interface Share {
  /** Absent where a tool tells the percentage alone. */
  readonly covered?: number
  readonly total?: number
  /** 0 to 100. */
  readonly percent: number
}

export interface CoverageReport {
  readonly format: 'lcov' | 'cobertura' | 'coverage.py' | 'istanbul'
  readonly lines: Share
  readonly branches?: Share
  /** The tool's own single figure, where it counts lines and branches together. */
  readonly overall?: number
  /** How often each line was executed, by file as written and line; empty where the format has no lines. */
  readonly files: ReadonlyMap<string, ReadonlyMap<number, number>>
}

/** `covered` of `total`; all of nothing is everything. */
export function shareOf(covered: number, total: number): Share {
  return { covered, total, percent: total === 0 ? 100 : (covered / total) * 100 }
}

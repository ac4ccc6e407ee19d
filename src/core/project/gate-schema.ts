import type { Fields } from './field.ts'

const dayMs = 24 * 60 * 60_000

/** Keys of `environments.<name>.gates`. */
export const gateFields = {
  tests: {
    spec: {
      kind: 'group',
      short: 'minimum',
      fields: {
        minimum: {
          spec: { kind: 'whole', min: 0, max: 1_000_000 },
          help: 'Tests that must have run, skipped ones left out. Default: 1.',
        },
      },
    },
    help: 'The JUnit reports of the run must be readable and green.',
  },
  coverage: {
    spec: {
      kind: 'group',
      short: 'lines',
      fields: {
        lines: { spec: { kind: 'whole', min: 0, max: 100 }, help: 'Least percentage of lines.' },
        branches: { spec: { kind: 'whole', min: 0, max: 100 }, help: 'Least percentage of branches.' },
        changed: {
          spec: { kind: 'whole', min: 0, max: 100 },
          help: 'Least percentage of the lines that the commit changed.',
        },
        drop: {
          spec: { kind: 'whole', min: 0, max: 100 },
          help: 'Points that line coverage may lose against what the environment runs.',
        },
      },
    },
    help: 'Coverage of the tests (LCOV, Cobertura, coverage.py or istanbul); a number is the least percentage of lines.',
  },
  vulnerabilities: {
    spec: {
      kind: 'group',
      fields: {
        block: {
          spec: { kind: 'texts', example: 'critical' },
          help: 'Severities that stop a release. Default: critical, high.',
        },
        warn: {
          spec: { kind: 'texts', example: 'medium' },
          help: 'Severities that are only said. Default: medium, low.',
        },
        ignoreUnfixed: { spec: { kind: 'boolean' }, help: 'Do not count what no update mends. Default: false.' },
      },
    },
    help: 'What scanners found (Trivy JSON or SARIF), counted by severity; see "waivers" for exceptions.',
  },
  secrets: { spec: { kind: 'boolean' }, help: 'No scanner may have found a secret. Default: false.' },
  sbom: { spec: { kind: 'boolean' }, help: 'A bill of materials (CycloneDX) must be there. Default: false.' },
  time: {
    spec: {
      kind: 'group',
      fields: {
        build: {
          spec: { kind: 'duration', minMs: 1000, maxMs: dayMs },
          help: 'From the start of the run to the release.',
        },
      },
    },
    help: 'Time budgets.',
  },
} as const satisfies Fields

/** Keys of `release.reports`. */
export const reportFields = {
  tests: { spec: { kind: 'texts', example: 'test-reports/**/*.xml' }, help: 'JUnit reports.' },
  coverage: {
    spec: { kind: 'texts', example: 'coverage/lcov.info' },
    help: 'LCOV, Cobertura, coverage.py JSON, istanbul json-summary.',
  },
  scans: { spec: { kind: 'texts', example: 'scan/trivy.json' }, help: 'Trivy JSON or SARIF.' },
  sbom: { spec: { kind: 'texts', example: 'sbom/bom.cdx.json' }, help: 'CycloneDX JSON.' },
} as const satisfies Fields

/** Keys of one item of `waivers`. */
export const waiverFields = {
  id: { spec: { kind: 'text', example: 'CVE-2024-3094' }, help: 'Id of the finding.', required: true },
  reason: {
    spec: { kind: 'text', example: 'not reachable: the service has no ssh' },
    help: 'Why it is no danger here.',
    required: true,
  },
  expires: { spec: { kind: 'text', example: '2026-12-31' }, help: 'Last day on which it counts, UTC.', required: true },
} as const satisfies Fields

import type { Fields } from './field.ts'

const dayMs = 24 * 60 * 60_000

const sonarQubeFields = {
  url: {
    spec: { kind: 'text', example: 'https://sonar.example.org' },
    help: 'Address of the server, without /api.',
    required: true,
  },
  project: { spec: { kind: 'text', example: 'shop' }, help: 'Key of the project.', required: true },
  token: {
    spec: { kind: 'text', example: 'SONAR_TOKEN' },
    help: 'Name of the secret with the token, which needs the right to browse the project.',
    required: true,
  },
  branch: {
    spec: { kind: 'text', example: 'main' },
    help: 'Branch of the analysis. Default: that of the release; for a tag the main branch.',
  },
  within: {
    spec: { kind: 'duration', minMs: 1000, maxMs: dayMs },
    help: 'How long an analysis that is under way is waited for. Default: 10m.',
  },
} as const satisfies Fields

const reviewFields = {
  forge: {
    spec: { kind: 'choice', of: ['github', 'gitlab', 'gitea'], later: [] },
    help: 'Which API. Default, as for url, repository and token: what "issues" says.',
  },
  url: {
    spec: { kind: 'text', example: 'https://git.example.org/api/v1' },
    help: 'Address of the API. Default: that of github.com or gitlab.com.',
  },
  repository: { spec: { kind: 'text', example: 'acme/shop' }, help: 'owner/name of the repository there.' },
  token: {
    spec: { kind: 'text', example: 'FORGE_TOKEN' },
    help: 'Name of the secret with the token, which needs the right to read pull requests.',
  },
  approvals: { spec: { kind: 'whole', min: 1, max: 20 }, help: 'How many people must have approved. Default: 1.' },
  notAuthor: {
    spec: { kind: 'boolean' },
    help: 'The author of the request, and whoever has commits in it, is not counted. Default: true.',
  },
  ofHead: {
    spec: { kind: 'boolean' },
    help: 'Only approvals of its last commit count; what was pushed afterwards nobody has seen. Default: true.',
  },
  from: {
    spec: { kind: 'texts', example: 'alice' },
    help: 'Logins whose approvals count. Default: everybody who may write there.',
  },
  into: {
    spec: { kind: 'texts', example: 'main' },
    help: 'Branches that the request must go into. Default: that of the release.',
  },
} as const satisfies Fields

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
        deploy: {
          spec: { kind: 'duration', minMs: 1000, maxMs: dayMs },
          help: 'From the first act on a target to the end of the health check; a deployment that takes longer goes back, a rollback is measured only.',
        },
        health: {
          spec: { kind: 'duration', minMs: 10, maxMs: 300_000 },
          help: 'Longest time for one healthy answer; a slower one is not healthy.',
        },
      },
    },
    help: 'Time budgets.',
  },
  sonarqube: {
    spec: { kind: 'group', fields: sonarQubeFields },
    help: 'The quality gate of SonarQube must be green for exactly the commit of the release; asked before anything is touched.',
  },
  review: {
    spec: { kind: 'group', fields: reviewFields },
    help: 'The pull or merge request that brought the commit must be approved at the forge; asked before anything is touched.',
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
  analysis: {
    spec: { kind: 'texts', example: 'sonar/report-task.txt' },
    help: 'report-task.txt of a scanner of SonarQube.',
  },
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

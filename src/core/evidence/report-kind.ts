/** Kinds of reports, as `release.reports` in shipway.yml names them. */
export const reportKinds = ['tests', 'coverage', 'scans', 'sbom', 'analysis'] as const
export type ReportKind = (typeof reportKinds)[number]

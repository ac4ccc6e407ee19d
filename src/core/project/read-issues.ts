import type { IssuesConfig } from '#core/issue/model.ts'
import type { ValuesOf } from './field.ts'
import { readForge } from './read-forge.ts'
import type { ProjectReader } from './reader.ts'
import type { projectFields } from './schema.ts'

type WrittenIssues = NonNullable<ValuesOf<typeof projectFields>['issues']>

/** Where failures are reported, with its defaults; undefined when it cannot be used. */
export function readIssues(reader: ProjectReader, written: WrittenIssues): IssuesConfig | undefined {
  const place = readForge(reader, written, { path: ['issues'], what: 'issues' })
  if (place === undefined) return undefined
  const { link } = written
  return {
    ...place,
    labels: written.labels ?? ['bug'],
    from: written.from ?? [],
    ...(link === undefined ? {} : { link }),
  }
}

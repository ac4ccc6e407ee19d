import type { Annotation } from '#core/run/job-order.ts'
import type { WorkflowCommand } from './workflow-command.ts'

/** Longest message of an annotation, in characters (actions-semantics 73). */
export const annotationLengthMax = 4096
/** Annotations of one level that one step may leave (146). */
export const annotationsPerStepMax = 10
/** Annotations that one job may leave (146). */
export const annotationsPerJobMax = 50

/** Where an annotation points to. */
export type AnnotationPlace = Pick<Annotation, 'title' | 'file' | 'line' | 'endLine' | 'column' | 'endColumn' | 'code'>

/** The place that the properties of a `notice`, `warning` or `error` command name, made consistent. */
export function placeOf(properties: WorkflowCommand['properties'], workspace: string): AnnotationPlace {
  const place = rangeOf(properties)
  const file = properties['file']
  return {
    ...(properties['title'] === undefined || properties['title'] === '' ? {} : { title: properties['title'] }),
    ...(file === undefined || file === '' ? {} : { file: relativeTo(file, workspace) }),
    ...(place.line === undefined ? {} : { line: place.line }),
    ...(place.endLine === undefined ? {} : { endLine: place.endLine }),
    ...(place.column === undefined ? {} : { column: place.column }),
    ...(place.endColumn === undefined ? {} : { endColumn: place.endColumn }),
  }
}

interface Place {
  readonly line: number | undefined
  readonly endLine: number | undefined
  readonly column: number | undefined
  readonly endColumn: number | undefined
}

/**
 * GitHub's rules: an end without a start is the start; columns need a line, and make sense within one line only; a
 * range that ends before it starts is dropped.
 */
function rangeOf(properties: WorkflowCommand['properties']): Place {
  const endLine = integerOf(properties['endLine'])
  const endColumn = integerOf(properties['endColumn'] ?? properties['endCol'])
  const line = integerOf(properties['line']) ?? endLine
  const column = integerOf(properties['col'] ?? properties['column']) ?? endColumn
  const lines = line !== undefined && endLine !== undefined && endLine < line
  const columns =
    line === undefined ||
    (endLine !== undefined && endLine !== line) ||
    (column !== undefined && endColumn !== undefined && endColumn < column)
  return {
    line: lines ? undefined : line,
    endLine: lines ? undefined : endLine,
    column: columns ? undefined : column,
    endColumn: columns ? undefined : endColumn,
  }
}

function integerOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined
}

function relativeTo(file: string, workspace: string): string {
  const path = file.replaceAll('\\', '/')
  return path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path.replace(/^\.\//, '')
}

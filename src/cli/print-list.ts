import type { Column } from './text-table.ts'
import { renderPiped, renderScreen } from './text-table.ts'
import type { Session } from './session.ts'

export interface List<Row> {
  /** `RunList`, `ReleaseList`: the kind of the JSON document. */
  readonly kind: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** What an item of the JSON document holds. */
  readonly toJson: (row: Row) => unknown
  /** What `-q` prints, one per line. */
  readonly idOf: (row: Row) => string
  /** Said on standard error when there is no row. */
  readonly empty: string
}

/** A list in the style that fits the reader: JSON, ids, a table for a terminal, tab-separated values for a pipe. */
export function printList<Row>(session: Session, list: List<Row>): void {
  const { world, out } = session
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: list.kind, items: list.rows.map(list.toJson) })
    return
  }
  if (list.rows.length === 0) session.say(list.empty)
  else if (session.isQuiet) for (const row of list.rows) session.print(list.idOf(row))
  else if (world.isTTY)
    world.stdout.write(renderScreen(list.columns, list.rows, world.width, (text) => out.paint('bold', text)))
  else world.stdout.write(renderPiped(list.columns, list.rows))
}

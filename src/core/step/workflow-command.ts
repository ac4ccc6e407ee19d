/** An instruction that a step prints: `::error file=a.ts,line=3::message`, or the older `##[error]message`. */
export interface WorkflowCommand {
  /** As printed; compare without case. */
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly value: string
}

/**
 * The command in a line of output, or undefined when it is plain text. `::` must start the line after blanks, `##[`
 * may stand anywhere; a name that nobody registered is plain text (actions-semantics 67).
 */
export function parseWorkflowCommand(
  line: string,
  isRegistered: (name: string) => boolean,
): WorkflowCommand | undefined {
  return parseColonCommand(line, isRegistered) ?? parseBracketCommand(line, isRegistered)
}

function parseColonCommand(line: string, isRegistered: (name: string) => boolean): WorkflowCommand | undefined {
  const text = line.trimStart()
  if (!text.startsWith('::')) return undefined
  const end = text.indexOf('::', 2)
  if (end === -1) return undefined
  const head = splitHead(text.slice(2, end))
  if (!isRegistered(head.name)) return undefined
  const properties = readProperties(head.properties.trim(), ',', unescapeProperty)
  return { name: head.name, properties, value: unescapeValue(text.slice(end + 2)) }
}

function parseBracketCommand(line: string, isRegistered: (name: string) => boolean): WorkflowCommand | undefined {
  const start = line.indexOf('##[')
  if (start === -1) return undefined
  const end = line.indexOf(']', start)
  if (end === -1) return undefined
  const head = splitHead(line.slice(start + 3, end))
  if (!isRegistered(head.name)) return undefined
  const properties = readProperties(head.properties, ';', unescapeBracket)
  return { name: head.name, properties, value: unescapeBracket(line.slice(end + 1)) }
}

function splitHead(head: string): { readonly name: string; readonly properties: string } {
  const space = head.indexOf(' ')
  return space === -1
    ? { name: head, properties: '' }
    : { name: head.slice(0, space), properties: head.slice(space + 1) }
}

function readProperties(
  text: string,
  separator: string,
  unescape: (text: string) => string,
): Readonly<Record<string, string>> {
  const properties: Record<string, string> = Object.create(null)
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=')
    if (equals !== -1) properties[pair.slice(0, equals)] = unescape(pair.slice(equals + 1))
  }
  return { ...properties }
}

/** `%25` comes last: `%250A` is the text `%0A`, not a line end (actions-semantics 68). */
function unescapeValue(text: string): string {
  if (!text.includes('%')) return text
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}

function unescapeProperty(text: string): string {
  if (!text.includes('%')) return text
  return text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}

function unescapeBracket(text: string): string {
  if (!text.includes('%')) return text
  return text
    .replaceAll('%3B', ';')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%5D', ']')
    .replaceAll('%25', '%')
}

import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { read, textProblem, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** An element with its attributes and children in the order of the file. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** How deep elements may be nested. */
const depthMax = 200

const attributesKey = ':@'
const textKey = '#text'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Also references by number: pytest writes the line breaks of a message as &#10;, others the letters of a path.
  htmlEntities: true,
})

/**
 * The root element of an XML report. Strict where it matters: a file that was cut off must not pass for one that ends, and the
 * library's parser alone would let it. External entities and document types are never loaded.
 */
export function readXml(text: string): Reading<XmlElement> {
  const problem = textProblem(text)
  if (problem !== undefined) return unreadable(problem)
  const clean = text.replace(/^\uFEFF/, '')
  const flaw = formProblem(clean)
  if (flaw !== undefined) return unreadable(`not well-formed XML: ${flaw}`)
  try {
    const root = (parser.parse(clean) as RawNode[]).flatMap((node) => toElement(node, 0) ?? [])[0]
    return root === undefined ? unreadable('not XML: it holds no element') : read(root)
  } catch (error) {
    return unreadable(`not well-formed XML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function formProblem(text: string): string | undefined {
  const verdict = XMLValidator.validate(text, { allowBooleanAttributes: false })
  if (verdict !== true) return `${verdict.err.msg} (line ${verdict.err.line})`
  // XML 1.0 §2.4: "]]>" may stand in text only as the end of a CDATA section.
  const outside = text.replace(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->/g, '')
  return outside.includes(']]>') ? '"]]>" stands in the text of an element' : undefined
}

type RawNode = Readonly<Record<string, unknown>>

/** Undefined for a piece of text. */
function toElement(node: RawNode, depth: number): XmlElement | undefined {
  if (depth > depthMax) throw new Error(`elements are nested deeper than ${depthMax}`)
  const name = Object.keys(node).find((key) => key !== attributesKey)
  if (name === undefined || name === textKey) return undefined
  const inner = node[name] as readonly RawNode[]
  return {
    name: name.replace(/^.*:/, ''),
    attributes: (node[attributesKey] ?? {}) as Record<string, string>,
    children: inner.flatMap((child) => toElement(child, depth + 1) ?? []),
    text: inner.map((child) => (child[textKey] === undefined ? '' : String(child[textKey]))).join(''),
  }
}

/** All elements of a name below one, in the order of the file; what is inside of one that matched is not looked at again. */
export function elementsBelow(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.flatMap((child) => (child.name === name ? [child] : elementsBelow(child, name)))
}

/** An attribute as a number: `1,234.5` too, as some writers have it. Undefined when it is no number. */
export function numberAttribute(element: XmlElement, name: string): number | undefined {
  const text = element.attributes[name]?.replaceAll(',', '').trim()
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

import { encodingsOf } from './secret-encodings.ts'

/** What stands in the place of a secret. */
export const MASK = '***'

/** A half-open range of characters in a text. */
interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Hides secrets in text, in every encoding of `encodingsOf`. It knows all secrets of one job; more are added while the
 * job runs (`::add-mask::`). It works on whole lines, one or many at a time: no form of a secret holds a line end.
 */
export class Redactor {
  readonly #forms = new Set<string>()
  #lengthMax = 0

  /** Hides this text, each of its lines and all their encodings from now on. An empty text is ignored. */
  add(secret: string): void {
    for (const form of encodingsOf(secret)) {
      this.#forms.add(form)
      this.#lengthMax = Math.max(this.#lengthMax, form.length)
    }
  }

  /** True while there is nothing to hide, so that the caller can leave the text alone. */
  get isEmpty(): boolean {
    return this.#forms.size === 0
  }

  /** The text with each secret replaced by `***`; secrets that touch or overlap become one mask. */
  redact(text: string): string {
    const spans = this.#find(text)
    if (spans.length === 0) return text
    let result = ''
    let end = -1
    for (const span of spans) {
      if (span.start > end) result += text.slice(Math.max(0, end), span.start) + MASK
      end = Math.max(end, span.end)
    }
    return result + text.slice(end)
  }

  /** True when the text holds a secret. */
  hides(text: string): boolean {
    for (const form of this.#forms) if (text.includes(form)) return true
    return false
  }

  /**
   * Where an unfinished line may be cut so that neither side holds a part of a secret: the last such place that is
   * far enough from the end for a secret whose rest has not arrived yet. 0 when there is none.
   */
  cutOf(text: string): number {
    let cut = Math.max(0, text.length - Math.max(0, this.#lengthMax - 1))
    for (const span of this.#find(text).toReversed()) {
      if (span.start < cut && cut < span.end) cut = span.start
    }
    return cut
  }

  /** Every occurrence of every form, overlapping ones too, by start. */
  #find(text: string): readonly Span[] {
    const spans: Span[] = []
    for (const form of this.#forms) {
      for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
        spans.push({ start, end: start + form.length })
      }
    }
    return spans.length < 2 ? spans : spans.toSorted((left, right) => left.start - right.start)
  }
}

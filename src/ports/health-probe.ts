export interface ProbeRequest {
  /** `http:` or `https:`. */
  readonly url: string
  /** For everything: name, connection, answer, body. */
  readonly deadlineMs: number
  /** More of a body is not read. */
  readonly bodyBytesMax: number
}

/** What came back. Only `answer` is an answer; the others tell failures apart that have different causes. */
export type ProbeAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** Where a redirect points to; it is not followed. */
      readonly location?: string
      readonly body: string
      readonly isTruncated: boolean
      readonly milliseconds: number
    }
  /** There was a connection, and it broke before the answer was complete. */
  | { readonly kind: 'reset'; readonly why: string; readonly milliseconds: number }
  /** Nobody took the connection: refused, no such name, no route, a certificate that is not trusted. */
  | { readonly kind: 'unreachable'; readonly why: string; readonly milliseconds: number }
  | { readonly kind: 'timeout'; readonly milliseconds: number }

/**
 * Asks an address with GET, each time over a new connection, as a new client would. Failures are answers: `get` throws only
 * the signal's reason. Calls may run concurrently.
 */
export interface HealthProbe {
  get(request: ProbeRequest, signal: AbortSignal): Promise<ProbeAnswer>
}

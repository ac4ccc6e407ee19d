/** What a target says of itself, as far as deciding needs it. Unknown is an answer. */
export type TargetObservation =
  | {
      readonly kind: 'known'
      readonly current?: string
      readonly pending?: { readonly deployment: string; readonly release: string }
    }
  | { readonly kind: 'unknown'; readonly why: string; readonly code?: string; readonly hint?: string }

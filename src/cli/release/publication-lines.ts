import type { Publication } from '#store/publication.ts'

/** What `release show` says of the release at the forge. */
export function publicationLines(publication: Publication | undefined): readonly string[] {
  if (publication === undefined) return []
  const { state, act, url = '', problem } = publication
  if (act === 'kept') return [`  published no: ${url} was written by somebody else`]
  if (state === 'done') return [`  published ${url}`]
  const why = problem === undefined ? '' : `: ${problem.message}`
  return [`  published ${state === 'open' ? 'not yet' : 'no, given up'}${why}`]
}

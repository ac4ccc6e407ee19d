/** How a registry wants to be asked: `WWW-Authenticate` of its answer 401. */
export type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string }

/** Reads the header; undefined for a scheme that nobody speaks. */
export function readChallenge(header: string): Challenge | undefined {
  const [, scheme = '', rest = ''] = /^\s*(\w+)\s*(.*)$/s.exec(header) ?? []
  if (scheme.toLowerCase() === 'basic') return { kind: 'basic' }
  if (scheme.toLowerCase() !== 'bearer') return undefined
  const values = new Map<string, string>()
  for (const [, name = '', value = ''] of rest.slice(0, 4096).matchAll(/(\w+)="([^"]*)"/g))
    values.set(name.toLowerCase(), value)
  const realm = values.get('realm')
  return realm === undefined ? undefined : { kind: 'bearer', realm, service: values.get('service') ?? '' }
}

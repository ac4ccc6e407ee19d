import type { Release } from '#core/release/model.ts'

/** Names of values that a text of `webhook:` may ask for, beside `secrets.NAME` and `answer/POINTER` where they are allowed. */
export const templateNames = [
  'release.version',
  'release.id',
  'release.sha',
  'release.ref',
  'environment',
  'application',
] as const

/** Where a value is put: each place has its own way of being quoted. */
export type TemplatePlace = 'plain' | 'url' | 'json'

export interface TemplateValues {
  readonly release: Release
  readonly environment: string
  readonly secrets?: Readonly<Record<string, string>>
  /** Looks up a JSON pointer in what the platform has answered. */
  readonly answer?: (pointer: string) => string | undefined
}

const placeholder = /\$\{\{\s*(.*?)\s*\}\}/g

/** Fills in `${{ … }}`. A value never leaves its place: it is quoted for an address or for JSON. What is unknown stays as it is written. */
export function fillTemplate(text: string, values: TemplateValues, place: TemplatePlace = 'plain'): string {
  return text.replaceAll(placeholder, (whole, name: string) => {
    const value = valueOf(name, values)
    return value === undefined ? whole : quoted(value, place)
  })
}

/** Names between `${{` and `}}`, in the order of the text. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, name = '']) => name)
}

function valueOf(name: string, { release, environment, secrets, answer }: TemplateValues): string | undefined {
  const { version, source, application } = release.manifest
  switch (name as (typeof templateNames)[number]) {
    case 'release.version':
      return version
    case 'release.id':
      return release.id
    case 'release.sha':
      return source.sha
    case 'release.ref':
      return source.ref.replace(/^refs\/(?:heads|tags)\//, '')
    case 'environment':
      return environment
    case 'application':
      return application
  }
  if (name.startsWith('secrets.')) return secrets?.[name.slice('secrets.'.length)]
  return name.startsWith('answer/') ? answer?.(name.slice('answer'.length)) : undefined
}

function quoted(value: string, place: TemplatePlace): string {
  if (place === 'url') return encodeURIComponent(value)
  return place === 'json' ? JSON.stringify(value).slice(1, -1) : value
}

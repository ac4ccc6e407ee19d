import { homeLayout } from '#core/home/layout.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** Values of a ticket's secrets: a file of its own, mode 0600, never a row, a ticket or an argument. Removed when its runs have ended. */
export function saveSecrets(files: HomeFiles, ticket: string, secrets: Readonly<Record<string, string>>): void {
  if (Object.keys(secrets).length > 0) files.write(secretsPath(ticket), JSON.stringify(secrets), 0o600)
}

export function loadSecrets(files: HomeFiles, ticket: string): Readonly<Record<string, string>> {
  const text = files.readText(secretsPath(ticket))
  return text === undefined ? {} : (JSON.parse(text) as Record<string, string>)
}

export function removeSecrets(files: HomeFiles, ticket: string): void {
  files.remove(secretsPath(ticket))
}

function secretsPath(ticket: string): string {
  return `${homeLayout.secrets}/${ticket}.json`
}

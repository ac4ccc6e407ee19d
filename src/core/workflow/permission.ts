import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/**
 * What a job may do with the token of its run: scope → level. A scope that is not named gives nothing.
 * `undefined` in the place of a whole set means that no file said anything, so that the repository's own setting counts
 * (actions-semantics 137).
 */
export type Permissions = Readonly<Record<string, 'read' | 'write'>>

/** In the order in which GitHub names them in an error (`actions/runner Permissions.cs`). */
const scopes = [
  'actions',
  'artifact-metadata',
  'attestations',
  'checks',
  'contents',
  'deployments',
  'discussions',
  'issues',
  'packages',
  'pages',
  'pull-requests',
  'repository-projects',
  'statuses',
  'security-events',
  'id-token',
  'models',
] as const

/** `read-all` and `write-all` stand for these; the newer ones must be named. */
const shorthandScopes = scopes.filter((scope) => !['artifact-metadata', 'attestations', 'models'].includes(scope))

/** `permissions` as written: `read-all`, `write-all`, `{}` or a mapping. The parser has checked names and levels. */
export function readPermissions(written: Json | undefined): Permissions | undefined {
  if (written === 'read-all') return everywhere('read')
  if (written === 'write-all') return everywhere('write')
  if (written === undefined || !isJsonObject(written)) return undefined
  const levels = Object.entries(written).filter(([, level]) => level === 'read' || level === 'write')
  return Object.fromEntries(levels) as Permissions
}

function everywhere(level: 'read' | 'write'): Permissions {
  return Object.fromEntries(shorthandScopes.map((scope) => [scope, level]))
}

/** What is asked for and not allowed, worded as GitHub does; undefined when all of it is allowed. */
export function permissionExcess(
  requested: Permissions,
  allowed: Permissions,
): { readonly requested: string; readonly allowed: string } | undefined {
  const over = [
    ...scopes,
    ...Object.keys(requested).filter((scope) => !scopes.some((known) => known === scope)),
  ].filter((scope) => rank(requested[scope]) > rank(allowed[scope]))
  if (over.length === 0) return undefined
  const text = (levels: Permissions): string => over.map((scope) => `${scope}: ${levels[scope] ?? 'none'}`).join(', ')
  return { requested: text(requested), allowed: text(allowed) }
}

function rank(level: 'read' | 'write' | undefined): number {
  return level === undefined ? 0 : level === 'read' ? 1 : 2
}

/** The permissions that a file without any has, by the setting of the repository. */
export const defaultPermissions: Readonly<Record<'read' | 'write', Permissions>> = {
  read: { contents: 'read', packages: 'read' },
  write: { ...everywhere('write'), attestations: 'write', 'artifact-metadata': 'write', models: 'read' },
}

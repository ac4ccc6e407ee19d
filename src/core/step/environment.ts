import type { JsonObject } from '#core/json.ts'

/** Members of the `github` context that become `GITHUB_*` (actions-semantics 30). The token and the event do not. */
const githubVariables: readonly string[] = [
  'action',
  'action_path',
  'action_ref',
  'action_repository',
  'actor',
  'actor_id',
  'api_url',
  'base_ref',
  'event_name',
  'event_path',
  'graphql_url',
  'head_ref',
  'job',
  'ref',
  'ref_name',
  'ref_protected',
  'ref_type',
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'retention_days',
  'run_attempt',
  'run_id',
  'run_number',
  'server_url',
  'sha',
  'triggering_actor',
  'workflow',
  'workflow_ref',
  'workflow_sha',
  'workspace',
]

/** The `GITHUB_*` variables of a `github` context. */
export function githubEnvironment(github: JsonObject): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const name of githubVariables) {
    const value = github[name]
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      variables[`GITHUB_${name.toUpperCase()}`] = String(value)
    }
  }
  return variables
}

/**
 * Variables of the agent's own environment that a step must not inherit: what another runner, a git hook, or npm set
 * around the agent would be taken for the step's own.
 */
const foreignPrefixes: readonly string[] = [
  'GITHUB_',
  'RUNNER_',
  'ACTIONS_',
  'INPUT_',
  'STATE_',
  'npm_lifecycle_',
  'npm_package_',
]
const foreignNames: ReadonlySet<string> = new Set([
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_GRAFT_FILE',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_QUARANTINE_PATH',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
  'INIT_CWD',
  'NODE_CHANNEL_FD',
  'NODE_OPTIONS',
  'npm_command',
  'npm_config_global_prefix',
  'npm_config_local_prefix',
  'npm_config_prefix',
  'npm_execpath',
  'npm_node_execpath',
])

/** What a step inherits from the process that runs it: everything but other programs' business. */
export function inheritedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || foreignNames.has(name)) continue
    if (foreignPrefixes.some((prefix) => name.startsWith(prefix))) continue
    inherited[name] = value
  }
  return inherited
}

/** PATH with the folders that steps added before it: the last one added first, none twice (40). */
export function joinPath(added: readonly string[], path: string | undefined): string {
  const folders = [...added.toReversed(), ...(path ?? '').split(':')]
  return [...new Set(folders.filter((folder) => folder !== ''))].join(':')
}

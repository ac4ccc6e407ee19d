import type { JsonObject } from '#core/json.ts'
import type { EventFacts } from '#core/ticket/model.ts'
import { numericRunId } from './numeric-id.ts'
import { refParts } from './ref.ts'

/** The facts of a run that its `github` context is made of. */
export interface GithubFacts {
  readonly event: EventFacts
  /** `owner/name`. */
  readonly repository: string
  readonly actor: string
  readonly workflow: { readonly name: string; readonly file: string }
  readonly run: { readonly id: string; readonly number: number; readonly attempt: number }
  /** Where the repository's pages are: `https://git.example.org`. */
  readonly serverUrl?: string
  /** Where it is known. */
  readonly defaultBranch?: string
}

const serverUrlDefault = 'https://github.com'

/** Marks "there was nothing before" in a push of a new branch, as git does. */
const noCommit = '0'.repeat(40)

/**
 * The `github` context of a run (actions-semantics 30, 35, 129), all but what only the runner knows: `workspace`,
 * `event_path`, `action`, `action_path`, `job`, `token`. Ids and numbers are texts, as on GitHub.
 */
export function githubContext(facts: GithubFacts): JsonObject {
  const { event, repository, actor, workflow, run, serverUrl } = facts
  const defaultBranch = facts.defaultBranch ?? event.defaultBranch
  const server = serverUrl ?? serverUrlDefault
  const { type, name } = refParts(event.ref)
  const [owner = ''] = repository.split('/')
  const isPullRequest = event.name.startsWith('pull_request')
  return {
    ref: event.ref,
    sha: event.sha,
    repository,
    repository_owner: owner,
    repositoryUrl: `git://${server.replace(/^\w+:\/\//, '')}/${repository}.git`,
    run_id: numericRunId(run.id),
    run_number: String(run.number),
    run_attempt: String(run.attempt),
    retention_days: '90',
    actor,
    triggering_actor: actor,
    workflow: workflow.name,
    workflow_ref: `${repository}/${workflow.file}@${event.ref}`,
    workflow_sha: event.sha,
    head_ref: isPullRequest ? refParts(event.headRef ?? '').name : '',
    base_ref: isPullRequest ? refParts(event.baseRef ?? '').name : '',
    event_name: event.name,
    event: eventPayload({ event, repository, owner, actor, server, defaultBranch }),
    server_url: server,
    api_url: server === serverUrlDefault ? 'https://api.github.com' : `${server}/api/v3`,
    graphql_url: server === serverUrlDefault ? 'https://api.github.com/graphql' : `${server}/api/graphql`,
    ref_name: name,
    ref_protected: false,
    ref_type: type,
    secret_source: 'Actions',
  }
}

interface PayloadFacts {
  readonly event: EventFacts
  readonly repository: string
  readonly owner: string
  readonly actor: string
  readonly server: string
  readonly defaultBranch: string | undefined
}

/** `github.event`: what the sender said, with the members that every workflow may count on filled in. */
function eventPayload({ event, repository, owner, actor, server, defaultBranch }: PayloadFacts): JsonObject {
  return {
    repository: {
      name: repository.slice(repository.indexOf('/') + 1),
      full_name: repository,
      owner: { login: owner },
      html_url: `${server}/${repository}`,
      ...(defaultBranch === undefined ? {} : { default_branch: defaultBranch }),
    },
    sender: { login: actor },
    ...payloadOfKind(event),
    ...event.payload,
    ...(event.name === 'workflow_dispatch' ? { inputs: { ...event.inputs } } : {}),
  }
}

function payloadOfKind(event: EventFacts): JsonObject {
  if (event.name === 'push') {
    const before = event.before ?? noCommit
    const { type } = refParts(event.ref)
    return {
      ref: event.ref,
      before,
      after: event.sha,
      created: before === noCommit,
      deleted: false,
      forced: false,
      base_ref: null,
      ...(type === 'tag' ? {} : { compare: `${before}...${event.sha}` }),
    }
  }
  if (event.name === 'workflow_dispatch') return { ref: event.ref }
  if (!event.name.startsWith('pull_request')) return {}
  const number = Number(/^refs\/pull\/(\d+)\//.exec(event.ref)?.[1] ?? 0)
  const head = { ref: refParts(event.headRef ?? '').name, sha: event.sha }
  const base = { ref: refParts(event.baseRef ?? '').name, ...(event.before === undefined ? {} : { sha: event.before }) }
  return { action: 'synchronize', number, pull_request: { number, head, base } }
}

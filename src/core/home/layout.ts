/** Paths inside a state home, all relative to it and with `/`. They are a contract with people who use `cat` and `scp`. */
export const homeLayout = {
  store: 'state.db',
  lock: 'lock.db',
  /** Keys that may ask, in OpenSSH's form; without the file every key may. */
  allowedSigners: 'allowed_signers',
  socket: 'agent.sock',
  tmp: 'tmp',
  inbox: 'inbox',
  processing: 'processing',
  outbox: 'outbox',
  quarantine: 'quarantine',
  secrets: 'secrets',
  /** Key of the versions that deployments tell of secrets; mode 0600. */
  secretKey: 'secrets/versions.key',
  secretVersions: 'secrets/versions',
  /** Values of before that a rollback may need; mode 0600. */
  formerSecrets: (application: string, environment: string): string =>
    `secrets/versions/${application}/${environment}.json`,
  /** A mark of each living runner process. */
  runners: 'runners',
  blobs: 'blobs',
  /** Files of backups by their digest, mode 0600. */
  backups: 'backups',
  /** Plans that somebody was shown, by their hash: to say later what has changed since. */
  plans: 'plans',
  plan: (hash: string): string => `plans/${hash}.json`,
  /** Actions and reusable workflows of other repositories. */
  actions: 'actions',
  /** When an agent that stays has last cleared the home out: milliseconds since 1970. */
  pruned: 'pruned',
  toolCache: 'cache/tools',
  workflowCache: 'cache/workflows',
  /** What `actions/cache` and its like have saved (`runner/cache/cache-store.ts`). */
  cacheEntries: 'cache/entries',
  runs: 'runs',
  run: (runId: string): string => `runs/${runId}`,
  log: (runId: string, jobKey: string, attempt: number): string => `runs/${runId}/logs/${jobKey}.${attempt}.log`,
  artifacts: (runId: string): string => `runs/${runId}/artifacts`,
  /** What the steps of one attempt of a job wrote into GITHUB_STEP_SUMMARY. */
  summary: (runId: string, jobKey: string, attempt: number): string => `runs/${runId}/summary/${jobKey}.${attempt}.md`,
  /** Scratch of one job attempt, removed when the job has ended. */
  work: (runId: string, jobKey: string, attempt: number): string => `runs/${runId}/work/${jobKey}.${attempt}`,
  /** What the steps of a failed job have left, in its `work`. */
  history: (runId: string, jobKey: string, attempt: number): string =>
    `runs/${runId}/work/${jobKey}.${attempt}/steps.json`,
  /** `digest` is 64 hexadecimal digits. */
  blob: (digest: string): string => `blobs/sha256/${digest.slice(0, 2)}/${digest}`,
} as const

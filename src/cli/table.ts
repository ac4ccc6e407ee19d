import type { CommandEntry } from './command.ts'

/** Every command, in the order of the help. There is no other way to become a command. */
export const commandTable: readonly CommandEntry[] = [
  { name: 'init', group: 'start', summary: 'write a workflow and shipway.yml for this project', load: async () => (await import('./command/init.ts')).page },
  { name: 'run', group: 'start', summary: 'run the workflows that answer to an event', load: async () => (await import('./command/run.ts')).page },
  { name: 'plan', group: 'start', summary: 'show what would run, and why the rest would not', load: async () => (await import('./command/plan.ts')).page },
  { name: 'lint', group: 'start', summary: 'check workflows and shipway.yml, all mistakes at once', load: async () => (await import('./command/lint.ts')).page },
  { name: 'status', group: 'look', summary: 'which version is where, and what waits', load: async () => (await import('./command/status.ts')).page },
  { name: 'ps', group: 'look', summary: 'runs and deployments: going on, waiting, recent', load: async () => (await import('./command/ps.ts')).page },
  { name: 'logs', group: 'look', summary: 'the log of a run', load: async () => (await import('./command/logs.ts')).page },
  { name: 'why', group: 'look', summary: 'why something waits or is red, and who can change it', load: async () => (await import('./command/why.ts')).page },
  { name: 'release', group: 'look', summary: 'sealed releases: list, show', load: async () => (await import('./command/release.ts')).page },
  { name: 'env', group: 'look', summary: 'environments and their rules: list, show', load: async () => (await import('./command/env.ts')).page },
  { name: 'deploy', group: 'ship', summary: 'put a release on an environment', load: async () => (await import('./command/deploy.ts')).page },
  { name: 'promote', group: 'ship', summary: 'bring what the environment before has verified to the next', load: async () => (await import('./command/promote.ts')).page },
  { name: 'rollback', group: 'ship', summary: 'put an earlier release back', load: async () => (await import('./command/rollback.ts')).page },
  { name: 'approve', group: 'ship', summary: 'say yes to what waits', load: async () => (await import('./command/approve.ts')).page },
  { name: 'reject', group: 'ship', summary: 'say no to what waits', load: async () => (await import('./command/reject.ts')).page },
  { name: 'cancel', group: 'ship', summary: 'stop a run or a deployment', load: async () => (await import('./command/cancel.ts')).page },
  { name: 'lock', group: 'care', summary: 'let nobody deploy to an environment', load: async () => (await import('./command/lock.ts')).page },
  { name: 'unlock', group: 'care', summary: 'lift a lock', load: async () => (await import('./command/unlock.ts')).page },
  { name: 'resume', group: 'care', summary: 'lift the hold that a failed deployment left', load: async () => (await import('./command/resume.ts')).page },
  { name: 'agent', group: 'care', summary: 'own the state home: take tickets, carry on what was left', load: async () => (await import('./command/agent.ts')).page },
  { name: 'doctor', group: 'care', summary: 'check this machine, the state home and the targets', load: async () => (await import('./command/doctor.ts')).page },
  { name: 'demo', group: 'more', summary: 'watch a service go from commit to production and back', load: async () => (await import('./command/demo.ts')).page },
  { name: 'completion', group: 'more', summary: 'completion for bash, zsh or fish', load: async () => (await import('./command/completion.ts')).page },
  { name: '__complete', group: 'more', isHidden: true, summary: 'candidates for the word under the cursor', load: async () => (await import('./command/complete.ts')).page },
]

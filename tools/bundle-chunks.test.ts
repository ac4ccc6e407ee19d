import { expect, test } from 'vitest'
import { planChunks } from './bundle-chunks.ts'

/** A small program in the shape of ours: → imports, ⇢ imports when it is needed. */
const graph: Readonly<Record<string, { readonly now: readonly string[]; readonly later: readonly string[] }>> = {
  'src/main/shipway.ts': { now: ['src/main/compiled-code.ts'], later: ['src/main/call.ts'] },
  'src/main/call.ts': {
    now: ['src/core/errors.ts'],
    later: [
      'src/cli/run-command.ts',
      'src/cli/command/run.ts',
      'src/cli/command/ps.ts',
      'src/main/agent-client.ts',
      'src/main/open-store.ts',
      'src/main/runner-program.ts',
      'src/adapters/git/git.ts',
      'src/adapters/git/repository.ts',
    ],
  },
  'src/main/runner.ts': { now: ['src/main/compiled-code.ts'], later: ['src/runner/main.ts'] },
  'src/runner/main.ts': { now: ['src/core/json.ts', 'src/runner/job.ts'], later: [] },
  'src/cli/run-command.ts': { now: ['src/cli/help.ts'], later: [] },
  'src/cli/command/run.ts': { now: ['src/core/errors.ts', 'src/cli/pairs.ts'], later: ['src/cli/perform-run.ts'] },
  'src/cli/command/ps.ts': { now: ['src/store/view.ts', 'src/cli/pairs.ts', 'src/cli/list.ts'], later: [] },
  'src/cli/perform-run.ts': { now: ['src/store/view.ts', 'src/cli/help.ts', 'node_modules/yaml/index.js'], later: [] },
  'src/main/agent-client.ts': { now: ['src/engine/agent.ts'], later: [] },
  'src/engine/agent.ts': { now: ['src/core/json.ts'], later: [] },
}
const entries = { shipway: '/p/src/main/shipway.ts', runner: '/p/src/main/runner.ts' }

function lookUp(id: string) {
  const { now, later } = graph[id.slice('/p/'.length)] ?? { now: [], later: [] }
  return {
    importedIds: now.map((name) => `/p/${name}`),
    dynamicallyImportedIds: later.map((name) => `/p/${name}`),
  }
}

test('what is loaded together lies together, and nobody loads what only a run needs', () => {
  const plan = planChunks(entries, lookUp)

  expect(Object.fromEntries([...plan].map(([id, name]) => [id.slice('/p/'.length), name]))).toEqual({
    'src/core/errors.ts': 'start',
    'src/cli/run-command.ts': 'frame',
    'src/cli/help.ts': 'frame',
    'src/cli/pairs.ts': 'frame',
    'src/store/view.ts': 'common',
    'src/core/json.ts': 'job',
    'node_modules/yaml/index.js': 'yaml',
    'src/cli/command/run.ts': 'ahead',
    'src/cli/perform-run.ts': 'run',
    'src/main/agent-client.ts': 'run',
    'src/main/open-store.ts': 'common',
    'src/main/runner-program.ts': 'ahead',
    'src/adapters/git/git.ts': 'run',
    'src/adapters/git/repository.ts': 'ahead',
    'src/engine/agent.ts': 'run',
  })
})

test('a part that was renamed is missed by the plan, not left out in silence', () => {
  const without = (id: string) => {
    const { importedIds, dynamicallyImportedIds } = lookUp(id)
    return {
      importedIds,
      dynamicallyImportedIds: dynamicallyImportedIds.filter((next) => !next.endsWith('/agent-client.ts')),
    }
  }

  expect(() => planChunks(entries, without)).toThrow('src/main/agent-client.ts')
})

test('another program is left to the bundler', () => {
  expect(planChunks({ program: '/p/src/main/shipway.ts' }, lookUp)).toEqual(new Map())
})

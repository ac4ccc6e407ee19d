import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { takeAgentLock } from '#adapters/agent-lock/agent-lock.ts'
import { agentSocket } from '#adapters/agent-socket/agent-socket.ts'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { systemGit } from '#adapters/git/git.ts'
import { homeAttic } from '#adapters/home-attic/home-attic.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { randomIds } from '#adapters/ids/random-ids.ts'
import { runnerLauncher } from '#adapters/runner-process/runner-launcher.ts'
import type { AgentOptions } from '#cli/services.ts'
import { homeLayout } from '#core/home/layout.ts'
import { EmbeddedClient } from '#engine/embedded-client.ts'
import type { AgentClient } from '#ports/agent-client.ts'
import { removeLeftovers } from '#runner/container/left-over.ts'
import { openReader, openWriter } from './open-store.ts'
import { actionStore } from './action-store.ts'
import { openDelivery } from './open-delivery.ts'
import { runnerProgram, spareRunner } from './runner-program.ts'
import './register-json.ts'

/** Puts the client of a home together: the composition of everything that an agent is made of. */
export async function openAgentClient(home: string, options: AgentOptions): Promise<AgentClient> {
  const files = openHomeFiles(path.resolve(home))
  return new EmbeddedClient({
    files,
    clock: systemClock,
    ids: randomIds,
    sha256,
    attic: homeAttic(files.root),
    socket: agentSocket(files.root),
    takeLock: async () => {
      files.prepare()
      return takeAgentLock(files.absolute(homeLayout.lock))
    },
    ...(options.isVisitor === true ? { startAgent: () => startAgent(files.root) } : {}),
    ...(options.onChanged === undefined ? {} : { onChanged: options.onChanged }),
    openReader: async () => openReader(files.root, true),
    openAgent: async (notify) => {
      const store = await openWriter(files.root)
      const sweep = removeLeftovers(files.root, process.env)
      const base = {
        store,
        files,
        git: systemGit,
        actions: actionStore(files.root),
        clock: systemClock,
        ids: randomIds,
        sha256,
        notify,
      }
      return {
        ...base,
        sweep,
        owner: randomIds.next('run'),
        programs: programFolder(),
        machine: { os: process.platform, arch: process.arch },
        slots: options.jobs ?? availableParallelism(),
        launcher: runnerLauncher({
          program: runnerProgram(),
          spare: spareRunner,
          marks: files.absolute(homeLayout.runners),
        }),
        delivery: openDelivery(base),
        openTracker: async (...args) => (await import('#adapters/forge/issue-tracker.ts')).openTracker(...args),
        openReleaseDesk: async (...args) => (await import('#adapters/forge/release-desk.ts')).openReleaseDesk(...args),
        checkSignature: async (...args) =>
          (await import('#adapters/ssh-identity/check-signature.ts')).checkTicketSignature(...args),
        ...(options.openShell === undefined ? {} : { openShell: options.openShell }),
      }
    },
  })
}

/** The program of this process once more, as the agent of a home. In a session of its own: the terminal of whoever asked does not end it. */
function startAgent(home: string): void {
  const { SHIPWAY_RUN: _, ...env } = process.env
  const args = [...process.execArgv, process.argv[1] ?? '', 'agent', '--until-quiet', '--home', home]
  spawn(process.execPath, args, { detached: true, stdio: 'ignore', cwd: home, env })
    .on('error', () => undefined)
    .unref()
}

/** `bin/` of the checkout or the package: this file is in `src/main/` or in `dist/`. */
function programFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url))
  return path.resolve(here, path.basename(here) === 'main' ? '../../bin' : '../bin')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

import { existsSync } from 'node:fs'
import path from 'node:path'
import type { CliServices } from '#cli/services.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { BlobStore } from '#ports/blob-store.ts'

/** The real services. Each part is loaded when it is first asked for: `shipway --version` pays for none of them. */
export const services: CliServices = {
  git: {
    readFiles: async (...args) => (await gitAdapter()).readFiles(...args),
    listFiles: async (...args) => (await gitAdapter()).listFiles(...args),
    readBlob: async (...args) => (await gitAdapter()).readBlob(...args),
    diffLines: async (...args) => (await gitAdapter()).diffLines(...args),
    defaultBranch: async (...args) => (await gitAdapter()).defaultBranch(...args),
    isAncestor: async (...args) => (await gitAdapter()).isAncestor(...args),
    commitsBetween: async (...args) => (await gitAdapter()).commitsBetween(...args),
  },
  openStore: async (home) => {
    const { openReader } = await import('./open-store.ts')
    return openReader(home)
  },
  signTicket: async (place, signed) =>
    (await import('#adapters/ssh-identity/sign-ticket.ts')).ticketSigner(place)(signed),
  agentClient: async (home, options) => {
    const { openAgentClient } = await import('./agent-client.ts')
    return openAgentClient(home, options)
  },
  prepareAgent: async (home) => {
    if (existsSync(path.join(home, homeLayout.lock)) && (await services.agentStatus(home)).isAlive) return
    const { runnerProgram, spareRunner } = await import('./runner-program.ts')
    spareRunner.start(runnerProgram())
  },
  agentStatus: async (home) => {
    const { agentSocket } = await import('#adapters/agent-socket/agent-socket.ts')
    const connection = await agentSocket(home).connect(() => undefined)
    connection?.[Symbol.dispose]()
    return { isAlive: connection !== undefined }
  },
  actions: async (home) => (await import('./action-store.ts')).actionStore(home),
  describeRepository: async (directory) => (await import('#adapters/git/repository.ts')).describeRepository(directory),
  resolveRef: async (root, ref) => (await import('#adapters/git/repository.ts')).resolveRef(root, ref),
  commitTime: async (root, sha) => (await import('#adapters/git/repository.ts')).commitTime(root, sha),
  mergeBase: async (root, one, other) => (await import('#adapters/git/repository.ts')).mergeBase(root, one, other),
  changedSince: async (root, range) => (await import('#adapters/git/repository.ts')).changedSince(root, range),
  prune: async (home, options) => (await import('./prune.ts')).prune(home, options),
  blobs: async (home) => blobsOf(home),
  writeReleaseArchive: async (home, file, release) => {
    const { writeReleaseArchive } = await import('#adapters/release-archive/release-archive.ts')
    await writeReleaseArchive(file, release, await blobsOf(home))
  },
  readReleaseArchive: async (home, file) => {
    const { readReleaseArchive } = await import('#adapters/release-archive/release-archive.ts')
    return readReleaseArchive(file, await blobsOf(home))
  },
  snapshotTree: async (root) => (await import('#adapters/git/repository.ts')).snapshotTree(root),
  inspectTargets: async (application, environment, place, signal) => {
    const { inspectTargets } = await import('./inspect-targets.ts')
    return inspectTargets({ ...place, application, environment }, signal)
  },
  askQuality: async (...args) => (await import('#adapters/sonarqube/ask-quality.ts')).askQuality(...args),
  askReviews: async (...args) => (await import('#adapters/forge/ask-reviews.ts')).askReviews(...args),
  askHealth: async (environment, release, signal) => {
    const { askHealth } = await import('./ask-health.ts')
    return askHealth(environment, release, signal)
  },
  missingFolders: async (targets, projectRoot) =>
    targets.flatMap((target) =>
      target.kind === 'local' && !existsSync(path.resolve(projectRoot, target.path)) ? [target.name] : [],
    ),
  demo: async (world, options, signal) => {
    const { playDemo } = await import('./play-demo.ts')
    return playDemo(world, options, signal)
  },
}

async function gitAdapter(): Promise<CliServices['git']> {
  return (await import('#adapters/git/git.ts')).systemGit
}

/** The blob store of a home, where its agent has it. */
async function blobsOf(home: string): Promise<BlobStore> {
  const { blobStore } = await import('#adapters/blob-store/blob-store.ts')
  return blobStore({ root: path.resolve(home, homeLayout.blobs), tmp: path.resolve(home, homeLayout.tmp) })
}

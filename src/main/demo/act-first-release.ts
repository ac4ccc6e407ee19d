import { firstCommit } from './commit.ts'
import { commit, expectSilence, expectVersion, latestRun, versionAt, watched } from './story.ts'
import type { Story } from './story.ts'

/** Commit 1: tested, released, staged, verified, approved, in production. The version, or undefined when a person said no. */
export async function playFirstRelease(story: Story): Promise<string | undefined> {
  const { narrator, scratch, shell } = story
  narrator.act('A commit goes to production')
  await commit(story, firstCommit)
  await shell.type(watched(story, 'run', 'push'), 8)

  const version = await versionAt(scratch.staging)
  await expectSilence(scratch.production)
  narrator.checked(`${scratch.staging.url} answers ${version}; production does not answer yet: it waits for a person`)

  const run = await latestRun(story)
  if (!(await isApproved(story, version))) {
    await shell.type(['shipway', 'reject', run, '--reason', 'not today'], 0)
    await expectSilence(scratch.production)
    narrator.checked('production stays as it is: nothing goes there without a yes')
    return undefined
  }
  await shell.type(watched(story, 'approve', run), 0)
  await expectVersion(scratch.production, version)
  narrator.checked(`${scratch.production.url} answers ${version}`)
  return version
}

async function isApproved({ narrator, options, signal, world }: Story, version: string): Promise<boolean> {
  if (world.stdinIsTTY && !options.yes) return narrator.confirm(`Do you approve ${version} for production?`, signal)
  narrator.say(`${options.yes ? '--yes' : 'Nobody can be asked here'}: the demo approves by itself.`)
  return true
}

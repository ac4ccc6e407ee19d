import { failingCommit } from './commit.ts'
import { commit, expectVersion, latestRun } from './story.ts'
import type { Story } from './story.ts'

/** Commit 2: a unit test fails, so nothing is released, and Shipway says why. */
export async function playFailingTest(story: Story, running: string): Promise<void> {
  const { narrator, scratch, shell } = story
  narrator.act('A test fails: nothing moves')
  await commit(story, failingCommit)
  await shell.type(['shipway', 'run', 'push'], 1)
  await shell.type(['shipway', 'why', await latestRun(story)], 0)

  await expectVersion(scratch.staging, running)
  await expectVersion(scratch.production, running)
  narrator.checked(`staging and production still answer ${running}`)
}

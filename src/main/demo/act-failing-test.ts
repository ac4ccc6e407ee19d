import { demoExpectationFailed } from '#core/known/demo.ts'
import { failingCommit } from './commit.ts'
import { commit, expectVersion, latestRun, watched } from './story.ts'
import type { Story } from './story.ts'

/** Commit 2: a unit test fails, so nothing is released, and Shipway says why. */
export async function playFailingTest(story: Story, running: string): Promise<void> {
  const { narrator, scratch, shell } = story
  narrator.act('A test fails: nothing moves')
  await commit(story, failingCommit)
  await shell.type(watched(story, 'run', 'push'), 1)
  const run = await latestRun(story)
  await shell.type(['shipway', 'why', run], 0)
  await expectReason(story, run)

  await expectVersion(scratch.staging, running)
  await expectVersion(scratch.production, running)
  narrator.checked(`staging and production still answer ${running}`)
}

/** The reason names the step, whose log names the test. */
async function expectReason({ shell }: Story, run: string): Promise<void> {
  const why = JSON.stringify(await shell.ask(['shipway', 'why', run]))
  if (!why.includes('Unit tests'))
    throw demoExpectationFailed({ expected: 'the step "Unit tests" as the reason', found: why })
}

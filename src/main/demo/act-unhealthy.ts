import { demoExpectationFailed } from '#core/known/demo.ts'
import { unhealthyCommit } from './commit.ts'
import { commit, environmentState, expectVersion, watched } from './story.ts'
import type { Story } from './story.ts'

/** Commit 3: its tests pass, but it is not healthy where it runs: staging puts itself back and holds. */
export async function playUnhealthyRelease(story: Story, running: string): Promise<void> {
  const { narrator, scratch, shell } = story
  narrator.act('Tests pass, but the release is unhealthy: staging puts itself back')
  await commit(story, unhealthyCommit)
  await shell.type(watched(story, 'run', 'push'), 1)

  await expectVersion(scratch.staging, running)
  await expectVersion(scratch.production, running)
  await expectHold(story, true)
  narrator.checked(`staging answers ${running} again, and takes nothing new until somebody has looked:`)
  await shell.type(['shipway', 'status'], 0)
  await shell.type(['shipway', 'resume', 'staging'], 0)
  await expectHold(story, false)
}

async function expectHold(story: Story, isHeld: boolean): Promise<void> {
  const staging = await environmentState(story, 'staging')
  if (staging.isHeld === isHeld) return
  const [expected, found] = isHeld ? ['a hold', 'none'] : ['no hold', 'one']
  throw demoExpectationFailed({ expected: `${expected} on staging`, found })
}

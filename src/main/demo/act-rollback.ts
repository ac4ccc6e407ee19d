import { setTimeout as sleep } from 'node:timers/promises'
import { renderDuration } from '#core/view/duration.ts'
import { demoExpectationFailed } from '#core/known/demo.ts'
import { secondCommit } from './commit.ts'
import { RequestLoad } from './request-load.ts'
import type { LoadReport } from './request-load.ts'
import { commit, expectVersion, latestRun, versionAt, watched } from './story.ts'
import type { Story } from './story.ts'

/** What the rollback cost. */
export interface RollbackReport {
  /** From the command to its end. */
  readonly durationMs: number
  /** From the command to the first answer of the version before. */
  readonly firstAnswerMs: number
  readonly requests: number
  readonly failures: number
  readonly slowestMs: number
}

/** Answers before the rollback and after it, so that the load certainly runs through it. */
const answersAround = 200
const answersMsMax = 60_000

/** Commit 4 goes to production. */
export async function playSecondRelease(story: Story): Promise<string> {
  const { narrator, scratch, shell } = story
  narrator.act('The next good commit goes to production')
  await commit(story, secondCommit)
  await shell.type(watched(story, 'run', 'push'), 8)
  const version = await versionAt(scratch.staging)
  narrator.say(`The demo approves ${version} by itself.`)
  await shell.type(watched(story, 'approve', await latestRun(story)), 0)

  await expectVersion(scratch.production, version)
  narrator.checked(`${scratch.production.url} answers ${version}`)
  return version
}

/** Production goes back while it is asked all the time. */
export async function playRollback(story: Story, versions: { from: string; to: string }): Promise<RollbackReport> {
  const { narrator, scratch, shell, signal } = story
  narrator.act('Production goes back, under load')
  await using load = new RequestLoad(`${scratch.production.url}version`)
  await answersOf(load, versions.from, signal)
  narrator.say(`Every few milliseconds a new connection asks ${scratch.production.url}version …`)

  const begun = performance.now()
  const { durationMs } = await shell.type(watched(story, 'rollback', 'production', '--yes'), 0)
  await answersOf(load, versions.to, signal)
  const report = await load.stop()
  await expectVersion(scratch.production, versions.to)
  expectNoFailure(report, versions)

  const firstAnswerMs = (report.firstAnswerAt.get(versions.to) ?? begun) - begun
  const failures = report.sent - report.answered
  narrator.checked(
    `${versions.from} → ${versions.to}: first answer after ${renderDuration(firstAnswerMs)}, all done after ${renderDuration(durationMs)}`,
  )
  narrator.checked(
    `${report.sent} requests ran through it, ${failures} failed (${summary(report)}; slowest ${Math.round(report.slowestMs)} ms)`,
  )
  return { durationMs, firstAnswerMs, requests: report.sent, failures, slowestMs: report.slowestMs }
}

/** Waits until so many more answers came from a version. */
async function answersOf(load: RequestLoad, version: string, signal: AbortSignal): Promise<void> {
  const enough = (load.versions.get(version) ?? 0) + answersAround
  const limit = performance.now() + answersMsMax
  while ((load.versions.get(version) ?? 0) < enough) {
    if (performance.now() > limit) {
      const found = `${load.versions.get(version) ?? 0} in ${renderDuration(answersMsMax)}`
      throw demoExpectationFailed({ expected: `${enough} answers of ${version}`, found })
    }
    await sleep(10, undefined, { signal })
  }
}

function expectNoFailure(report: LoadReport, versions: { from: string; to: string }): void {
  const failures = [...report.failures].map(([reason, count]) => `${count} × ${reason}`)
  if (failures.length > 0) throw demoExpectationFailed({ expected: 'no failed request', found: failures.join(', ') })
  const seen = [...report.versions.keys()].join(', ')
  const expected = `${versions.from}, ${versions.to}`
  if (seen !== expected) throw demoExpectationFailed({ expected: `answers of ${expected}`, found: seen })
}

function summary(report: LoadReport): string {
  return [...report.versions].map(([version, count]) => `${count} by ${version}`).join(', ')
}

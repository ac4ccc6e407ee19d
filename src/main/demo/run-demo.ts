import { delimiter, join } from 'node:path'
import { renderDuration } from '#core/view/duration.ts'
import { playFailingTest } from './act-failing-test.ts'
import { playFirstRelease } from './act-first-release.ts'
import { playRollback, playSecondRelease } from './act-rollback.ts'
import type { RollbackReport } from './act-rollback.ts'
import { playUnhealthyRelease } from './act-unhealthy.ts'
import { clearAbandoned, startGuard } from './guard.ts'
import { DemoShell, quote } from './demo-shell.ts'
import type { DemoOptions, DemoWorld } from '#cli/services.ts'
import { Narrator } from './narrator.ts'
import { endMarkedProcesses, markedProcesses, stopService } from './process-sweep.ts'
import { makeScratch, packageRoot, removeScratch } from './scratch.ts'
import type { Scratch } from './scratch.ts'
import type { Story } from './story.ts'

/** How a story ended that was played to its end. */
interface Outcome {
  readonly first: string
  /** Absent when the person said no to the first release: then the story is shorter. */
  readonly second?: string
  readonly rollback?: RollbackReport
}

/** Exit status after Ctrl-C. */
const interrupted = 130

/**
 * Plays the whole story on this machine with the real `shipway` command, and checks each thing that it says: a check that
 * fails is the KnownError DEMO_EXPECTATION_FAILED. Whatever happens, every process that it started is gone at the end,
 * unless everything went well and `keep` is set. Aborting `signal` ends it in order, with status 130.
 */
export async function runDemo(world: DemoWorld, options: DemoOptions, signal: AbortSignal): Promise<number> {
  const begun = performance.now()
  const narrator = new Narrator(world, options)
  using hangup = hangupSignal()
  const stop = AbortSignal.any([signal, hangup.signal])
  narrator.title('Shipway takes a small web service to production, and back.')
  await clearAbandoned()
  const scratch = await makeScratch(options.directory)
  const guard = await startGuard(scratch)
  let isDone = false
  try {
    const shell = new DemoShell(world, { narrator, scratch, signal: stop })
    const story: Story = { world, options, narrator, scratch, shell, signal: stop }
    await introduce(story)
    const outcome = await play(story)
    await conclude(story, outcome, begun)
    const durationMs = performance.now() - begun
    isDone = true
    if (!options.keep) await leaveNothing(scratch, isDone)
    sayWhatNext(story)
    if (options.json) world.stdout.write(`${JSON.stringify(demoDocument(story, outcome, durationMs))}\n`)
    return 0
  } catch (error) {
    if (!stop.aborted) throw error
    narrator.say('\nInterrupted: the demo stops what it started and removes its folder.')
    return interrupted
  } finally {
    if (!isDone) await leaveNothing(scratch, stop.aborted)
    await guard.release()
    if (!isDone && !stop.aborted) narrator.say(`\nEverything is still in ${scratch.folder}, to look at.`)
  }
}

/** The repository, and where a person would have to be to type along. */
async function introduce({ narrator, scratch, shell }: Story): Promise<void> {
  await shell.prepare(['git', 'init', '--quiet', '--initial-branch=main'])
  for (const [name, value] of Object.entries({
    'user.name': 'Ada',
    'user.email': 'ada@example.org',
    'commit.gpgSign': 'false',
  })) {
    await shell.prepare(['git', 'config', name, value])
  }
  narrator.say(
    'A real git repository, real processes, real HTTP; staging and production are folders and ports of this machine.',
  )
  narrator.blank()
  narrator.command(`cd ${quote(scratch.repository)}`)
  narrator.command(`export SHIPWAY_HOME=${quote(scratch.home)}`)
}

async function play(story: Story): Promise<Outcome> {
  const first = await playFirstRelease(story)
  if (first === undefined) return { first: 'none' }
  await playFailingTest(story, first)
  await playUnhealthyRelease(story, first)
  const second = await playSecondRelease(story)
  return { first, second, rollback: await playRollback(story, { from: second, to: first }) }
}

async function conclude({ narrator, shell, world }: Story, outcome: Outcome, begun: number): Promise<void> {
  narrator.act('Where everything is now')
  if (!world.isTTY)
    narrator.say(
      'Into a pipe, a list has tabs and no header; here: application, staging, production, pending, time of the last change.',
    )
  await shell.type(['shipway', 'status'], 0)
  await shell.type(['shipway', 'release', 'list'], 0)
  narrator.blank()
  const played =
    outcome.second === undefined ? 'You said no, and that ended the story' : 'The whole story was played and checked'
  narrator.checked(`${played}, in ${renderDuration(performance.now() - begun)}.`)
}

/** Ends every process, and makes sure of it; the folder goes too when it is ours and nobody needs to look at it. */
async function leaveNothing(scratch: Scratch, removesFolder: boolean): Promise<void> {
  await Promise.all([stopService(scratch.staging), stopService(scratch.production)])
  await endMarkedProcesses(scratch)
  const left = await markedProcesses(scratch.marker)
  if (left.length > 0) throw new Error(`processes of the demo are still alive: ${left.join(', ')}`)
  if (removesFolder) await removeScratch(scratch)
}

function sayWhatNext({ narrator, options, scratch, world }: Story): void {
  narrator.blank()
  if (options.keep) {
    narrator.say(`Both services are up: staging ${scratch.staging.url}  production ${scratch.production.url}`)
    narrator.say('Look around:')
    if (!onPath(world)) narrator.command(`export PATH=${quote(join(packageRoot(), 'bin'))}:$PATH`)
    narrator.command(`cd ${quote(scratch.repository)} && export SHIPWAY_HOME=${quote(scratch.home)}`)
    for (const command of ['shipway status', 'shipway ps --all', 'shipway why production', 'shipway logs latest'])
      narrator.command(command)
    narrator.say('Stop them and remove everything:')
    for (const target of [scratch.staging, scratch.production]) {
      narrator.command(`node ${quote(join(target.folder, 'current', 'ops', 'service.js'))} stop`)
    }
    narrator.command(`rm -r ${quote(scratch.folder)}`)
    return
  }
  const folder = scratch.isOwn ? 'the scratch folder is removed' : `everything else is still in ${scratch.folder}`
  narrator.say(
    `Staging was at ${scratch.staging.url}, production at ${scratch.production.url}; both are stopped, ${folder}.`,
  )
  narrator.say('Next:')
  narrator.command('npm start -- --keep      # the same, and leave both services up to look around')
  narrator.command('shipway init             # in a repository of yours: writes a workflow and shipway.yml')
  narrator.command('shipway help             # everything else')
}

function onPath(world: DemoWorld): boolean {
  return (world.env['PATH'] ?? '').split(delimiter).includes(join(packageRoot(), 'bin'))
}

function demoDocument({ options, scratch }: Story, outcome: Outcome, durationMs: number): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Demo',
    durationMs: Math.round(durationMs),
    isKept: options.keep,
    folder: scratch.folder,
    urls: { staging: scratch.staging.url, production: scratch.production.url },
    versions: { first: outcome.first, second: outcome.second ?? null },
    rollback: outcome.rollback ?? null,
  }
}

/** A closed terminal is an interrupt too: without this, the services would outlive it. */
function hangupSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  process.on('SIGHUP', abort)
  return { signal: controller.signal, [Symbol.dispose]: () => void process.off('SIGHUP', abort) }
}

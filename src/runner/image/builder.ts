import { platformOf } from '#core/image/build-plan.ts'
import type { Builder } from '#core/image/build-plan.ts'
import { imagePlatformUnavailable } from '#core/known/image.ts'
import type { StepDocker } from '../actions/built-in-action.ts'

/** Who builds, and why it is not BuildKit when it is not. */
export interface FoundBuilder {
  readonly builder: Builder
  readonly problem: string
}

/**
 * Asks docker for the options of its build: with BuildKit it knows `--secret`. That is one question for all versions: up to 22 the
 * program brings BuildKit itself, later its plugin buildx does, and without the plugin it fails.
 */
export async function findBuilder(docker: StepDocker): Promise<FoundBuilder> {
  if (docker.env['DOCKER_BUILDKIT'] === '0') return { builder: 'classic', problem: 'DOCKER_BUILDKIT is 0' }
  const answer = await docker.ask(['build', '--help'], { env: { DOCKER_BUILDKIT: '1' } })
  if (answer.exitCode === 0 && answer.stdout.includes('--secret')) return { builder: 'buildkit', problem: '' }
  const [first = ''] = answer.stderr.split('\n')
  return { builder: 'classic', problem: first.replace(/^ERROR: /, '').replace(/\.$/, '') }
}

/** Throws IMAGE_PLATFORM_UNAVAILABLE for every platform but the engine's own. */
export async function checkPlatforms(docker: StepDocker, wanted: readonly string[]): Promise<void> {
  if (wanted.length === 0) return
  const answer = await docker.ask(['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}'])
  const own = platformOf(answer.stdout)
  const others = wanted.filter((platform) => platformOf(platform) !== own)
  if (others.length > 0) throw imagePlatformUnavailable({ wanted: others, own })
}

import type { KnownError } from '#core/errors.ts'
import * as known from '#core/known/nginx.ts'

/** Where the scripts of `script.ts` ran, and what they have shown. */
export interface NginxScene {
  readonly target: string
  /** That nginx includes. */
  readonly file: string
  readonly details: readonly string[]
}

/** The error behind `shipway:error <word> <rest>` of what `script.ts` says, `up <status>` included; undefined for other words. */
export function nginxFailure(word: string, rest: string, scene: NginxScene): KnownError | undefined {
  switch (word) {
    case 'nginx-missing':
      return known.nginxMissing({ ...scene, command: rest })
    case 'nginx-silent':
      return known.nginxSilent({ ...scene, pidFile: rest })
    case 'nginx-refused':
      return known.nginxConfigRefused(scene)
    case 'upstream-closed':
      return known.nginxUpstreamClosed(scene)
    case 'upstream-foreign':
      return known.nginxUpstreamForeign(scene)
    case 'upstream-unread':
      return known.nginxUpstreamUnread(scene)
    case 'up':
      return switchFailure(rest, scene)
    default:
      return undefined
  }
}

/** With which status a switch ends when nginx is at fault. */
function switchFailure(status: string, scene: NginxScene): KnownError | undefined {
  switch (status) {
    case '72':
      return known.nginxConfigRefused(scene)
    case '73':
      return known.nginxReloadIgnored(scene)
    case '74':
      return known.nginxSilent({ ...scene, pidFile: 'its pid file' })
    case '77':
      return known.nginxUpstreamUnread(scene)
    default:
      return undefined
  }
}

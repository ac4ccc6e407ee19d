import { ofTarget } from '#core/compose/model.ts'
import type { KnownError } from '#core/errors.ts'
import * as known from '#core/known/compose.ts'
import * as knownNginx from '#core/known/nginx.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'
import type { Answer, TargetCall } from '#ports/release-folders.ts'

/** The errors behind the words of this driver's scripts; undefined for words that every script may say. */
export function failureOn(order: Pick<TargetOrder, 'target' | 'compose'>): NonNullable<TargetCall['failure']> {
  const target = order.target.name
  const file = ofTarget(order.compose?.blueGreen?.upstream ?? '', order.target)
  return (word: string, rest: string, answers: readonly Answer[]): KnownError | undefined => {
    const details = answers.filter((answer) => answer.word === 'log').map((answer) => answer.rest)
    const [first = '', ...others] = rest.split(' ')
    switch (word) {
      case 'engine':
        return known.dockerSilent({ target, evidence: rest.replace(/[.?!]+$/, '') })
      case 'composeless':
        return known.composeMissing({ target })
      case 'invalid':
        return known.composeInvalid({ target, problem: rest.replace(/\.+$/, ''), details })
      case 'foreign':
        return known.projectForeign({ target, project: first, folder: others.join(' ') })
      case 'login':
        return known.registryRefused({ target, server: rest, details })
      case 'image':
        return known.serviceImageUnavailable({ target, service: first, image: others.join(' '), details })
      case 'colours':
        return knownNginx.blueGreenLeft({ target, project: rest })
      case 'unchecked':
        return knownNginx.serviceUnchecked({ target, service: rest })
      case 'nginx-missing':
        return knownNginx.nginxMissing({ target, command: rest })
      case 'nginx-silent':
        return knownNginx.nginxSilent({ target, pidFile: rest })
      case 'nginx-refused':
        return knownNginx.nginxConfigRefused({ target, details })
      case 'upstream-closed':
        return knownNginx.nginxUpstreamClosed({ target, file })
      case 'upstream-foreign':
        return knownNginx.nginxUpstreamForeign({ target, file })
      case 'upstream-unread':
        return knownNginx.nginxUpstreamUnread({ target, file })
      case 'up':
        return switchFailure(rest, { target, file, details })
      default:
        return undefined
    }
  }
}

/** With which status `script/colour.ts` ends when nginx is at fault. */
function switchFailure(
  status: string,
  fact: { readonly target: string; readonly file: string; readonly details: readonly string[] },
): KnownError | undefined {
  switch (status) {
    case '72':
      return knownNginx.nginxConfigRefused(fact)
    case '73':
      return knownNginx.nginxReloadIgnored(fact)
    case '74':
      return knownNginx.nginxSilent({ target: fact.target, pidFile: 'its pid file' })
    case '77':
      return knownNginx.nginxUpstreamUnread(fact)
    default:
      return undefined
  }
}

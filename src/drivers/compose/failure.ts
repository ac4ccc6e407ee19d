import { ofTarget } from '#core/compose/model.ts'
import type { KnownError } from '#core/errors.ts'
import * as known from '#core/known/compose.ts'
import * as knownNginx from '#core/known/nginx.ts'
import { nginxFailure } from '#core/nginx/failure.ts'
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
        return knownNginx.blueGreenLeft({
          target,
          what: `containers of ${rest}`,
          key: 'compose.blueGreen',
          end: 'end the containers there with `docker compose down`',
        })
      case 'unchecked':
        return knownNginx.serviceUnchecked({ target, service: rest })
      default:
        return nginxFailure(word, rest, { target, file, details })
    }
  }
}

import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { toText } from '#core/expression/text.ts'
import { actionInputInvalid } from '#core/known/runner.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'

/**
 * Puts the release that the run has sealed on an environment. Only the agent decides and does it; this waits and prints
 * what it says. Rules that refuse and deployments that fail come back as errors with their reason.
 */
export const deploy: BuiltInAction = {
  name: 'shipway/deploy',
  inputs: { environment: undefined, release: undefined },
  async run(context: ActionContext): Promise<void> {
    const environment = context.inputs.text('environment') || (context.order.leg.environment?.name ?? '')
    if (environment === '') {
      throw actionInputInvalid({
        action: 'shipway/deploy',
        input: 'environment',
        value: '',
        expected: 'the name of an environment; without it, the job needs `environment:`',
      })
    }
    const release = context.inputs.text('release')
    const reply = await context.request({ kind: 'deploy', environment, ...(release === '' ? {} : { release }) })
    for (const name of ['deployment', 'release', 'version', 'url']) context.setOutput(name, memberText(reply, name))
  },
}

function memberText(reply: Json, name: string): string {
  return isJsonObject(reply) ? toText(reply[name] ?? null) : ''
}

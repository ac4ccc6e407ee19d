import { argvOnly } from './argv-only.ts'
import { errorInCatalogue } from './error-in-catalogue.ts'
import { noAmbientClock } from './no-ambient-clock.ts'
import { noMessageBranching } from './no-message-branching.ts'

/** The rules that only this house has; `.oxlintrc.json` loads them as `house/…`. oxlint wants a default export. */
export default {
  meta: { name: 'house' },
  rules: {
    'argv-only': argvOnly,
    'error-in-catalogue': errorInCatalogue,
    'no-ambient-clock': noAmbientClock,
    'no-message-branching': noMessageBranching,
  },
}

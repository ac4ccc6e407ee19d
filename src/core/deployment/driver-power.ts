import type { DriverName } from '#core/project/model.ts'

/** What a driver can and cannot do on its targets. Screens, plans and receipts say what it cannot. */
export interface DriverPowers {
  /** The target arms a timer of its own before the switch, and goes back by itself when nobody confirms. */
  readonly hasTimer: boolean
  /** The release is brought to the target beside what runs, before the switch. */
  readonly bringsFiles: boolean
  /** The target itself knows the release that it runs; otherwise the home's own record is believed as far as nothing speaks against it. */
  readonly knowsRelease: boolean
  /** What a plan of it says that nobody can see before. */
  readonly cannotSee: readonly string[]
  /** What a receipt of it says that nobody can know. */
  readonly cannotProve: readonly string[]
}

export const driverPowers: Readonly<Record<DriverName, DriverPowers>> = {
  directory: { hasTimer: true, bringsFiles: true, knowsRelease: true, cannotSee: [], cannotProve: [] },
  compose: { hasTimer: true, bringsFiles: true, knowsRelease: true, cannotSee: [], cannotProve: [] },
  webhook: {
    hasTimer: false,
    bringsFiles: false,
    knowsRelease: false,
    cannotSee: [
      'the files, variables and services that the platform really has: what runs there is what is recorded here, as far as the platform says nothing against it',
    ],
    cannotProve: [
      'drain: the platform behind the webhook switches by itself, and says nothing of requests that were under way',
    ],
  },
}

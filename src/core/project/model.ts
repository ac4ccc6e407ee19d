import type { ComposeConfig } from '#core/compose/model.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import type { Position } from '#core/diagnostic.ts'
import type { ReportKind } from '#core/evidence/report-kind.ts'
import type { WebhookTarget } from '#core/webhook/model.ts'
import type { GatePolicy, Waiver } from '#core/gate/policy.ts'
import type { IssuesConfig } from '#core/issue/model.ts'
import type { PublishConfig } from '#core/release/publication.ts'

/**
 * `shipway.yml` after parsing and checking, with all defaults filled in. The written form and this one are two types:
 * nothing here is optional because the user left it out, only because it does not apply.
 */
export interface ProjectConfig {
  /** Name of the application; `name:` or the folder's name. Letters, digits, `-`, `_`, `.`. */
  readonly application: string
  readonly release: ReleaseConfig
  /** Label of `runs-on` → `host` or `docker:IMAGE`; `--platform` wins. */
  readonly platforms: Readonly<Record<string, string>>
  /** `containers.pull: always`: jobs pull their images although they are on the machine. */
  readonly pullsAlways?: true
  /** Findings that gates do not count. */
  readonly waivers: readonly Waiver[]
  readonly issues?: IssuesConfig
  /** Releases are published at a forge. */
  readonly publish?: PublishConfig
  /** Base url of actions of other repositories, where the file names one. */
  readonly actionsUrl?: string
  /** In the order of the file, which is the order of the columns in `shipway status`. */
  readonly environments: readonly EnvironmentConfig[]
}

/** What a release holds: an artifact that a job of the run uploaded, or files of the commit. */
export interface ReleaseConfig {
  /** Name of the artifact. */
  readonly artifact?: string
  /** Globs below the repository's root, `!` excludes. */
  readonly files?: readonly string[]
  /** Path of the file in the release that names its images by digest. */
  readonly images?: string
  /** Where the versions of its components stand; sealed with the release, and variables of jobs. Empty: none are read. */
  readonly versions: readonly VersionSource[]
  /** Jobs of the run that must be green before a release may be sealed; empty: all finished ones. */
  readonly requires: readonly string[]
  /** What the start of a release of this commit does to its data. */
  readonly migration?: MigrationPhase
  /** Patterns of `<artifact>/<path>` that are evidence, by kind; a kind that is not written has the names that tools use. */
  readonly reports: Readonly<Record<ReportKind, readonly string[]>>
}

/** A file of the commit that says which version a component has. */
export interface VersionSource {
  readonly component: string
  /** Below the repository's root. */
  readonly file: string
  /** A line of it with `{version}` in the place of the version; absent where the name of the file says how it is written. */
  readonly pattern?: string
}

/** How a release is put on a target. */
export type DriverName = 'directory' | 'compose' | 'webhook'
export const driverNames = ['directory', 'compose', 'webhook'] as const satisfies readonly DriverName[]

/** `expand` adds what the next release needs, and the one before works on; `contract` takes away what the one before needed. */
export type MigrationPhase = 'expand' | 'contract'

export interface EnvironmentConfig {
  readonly name: string
  /** Branch names or tag patterns that may come here: `main`, `feature/**`, `v*.*.*`. Empty: any. */
  readonly from: readonly string[]
  /** Environments that must have verified the release before. */
  readonly after: readonly string[]
  readonly driver: DriverName
  /** For the driver `compose`: always there with it, and only then. */
  readonly compose?: ComposeConfig
  /** For the driver `directory`: how processes are switched behind the nginx of the host. That of the driver `compose` is a part of `compose`. */
  readonly blueGreen?: ColourConfig
  readonly targets: readonly TargetConfig[]
  readonly approvals?: ApprovalRule
  readonly gates?: GatePolicy
  /** How long the environments of `after` must have run a release before it may come. */
  readonly soakMs?: number
  /** Times in which nothing comes by itself or by hand; going back is always allowed. */
  readonly freeze?: readonly FreezeRule[]
  readonly health?: HealthRule
  /** Jobs of the sealing run that must be green before another environment may take the release from here. */
  readonly verifiedBy: readonly string[]
  /** Releases kept on each target, the running one and the previous one included; at least 2. */
  readonly retain: number
  readonly database?: DatabaseConfig
  /** Shell command of the user, run by the target's `sh` in the new release's folder after the switch. */
  readonly restart?: string
  /** A target that hears no confirmation within this time puts the previous release back by itself. */
  readonly confirmWithinMs: number
  /** A green run on a matching ref deploys here by itself, without a deploy step in the workflow. */
  readonly auto: boolean
  /** Not secret; written to `.env` in the release's folder on the target and part of the sealed release. */
  readonly variables: Readonly<Record<string, string>>
  /** Names of secrets that must be there before anything starts. */
  readonly secrets: readonly string[]
  /** Where a person looks at it. */
  readonly url?: string
  readonly position: Position
}

/** The PostgreSQL database of an environment, for backups and restores. */
export interface DatabaseConfig {
  /** `url`: name of the secret with its address. `service`: entry of `pg_service.conf` where the programs run. */
  readonly source:
    | { readonly kind: 'url'; readonly secret: string }
    | { readonly kind: 'service'; readonly service: string }
  /** Container in which PostgreSQL's programs run. */
  readonly container?: string
  /** Name of the target where they run, or `local`; absent: the first target. */
  readonly on?: string
  /** Good backups whose files are kept. */
  readonly keep: number
  /** A backup is made before each deployment; one that fails stops it. */
  readonly isBeforeDeploy: boolean
}

/** Where a release goes: a folder on a host, or an application of a platform that deploys by itself. */
export type TargetConfig = HostTarget | WebhookTarget

/** `ssh://user@host:port/absolute/path` or an absolute or `./relative` local path. */
export type HostTarget =
  | { readonly kind: 'local'; readonly name: string; readonly path: string }
  | {
      readonly kind: 'ssh'
      readonly name: string
      readonly user?: string
      readonly host: string
      readonly port?: number
      readonly path: string
      /** Extra `ssh` options as `Key=value`, for example a key file or a known-hosts file of the project. */
      readonly options: readonly string[]
    }

/** A time in which an environment takes nothing. */
export type FreezeRule =
  /** Milliseconds since 1970; `to` is the first instant after it. */
  | { readonly kind: 'once'; readonly from: number; readonly to: number; readonly reason: string }
  /** RFC 5545: `rule` as RRULE, `start` as the local time `YYYYMMDDTHHMMSS` in `zone`. */
  | {
      readonly kind: 'recurring'
      readonly rule: string
      readonly start: string
      readonly zone: string
      readonly lastsMs: number
      readonly reason: string
    }

export interface ApprovalRule {
  readonly count: number
  /** Who may approve; empty: anybody who may write to the agent's home. */
  readonly from: readonly string[]
  readonly notAuthor: boolean
  readonly expiresMs: number
}

export interface HealthRule {
  readonly url: string
  /** How long the new release may take to become healthy. */
  readonly withinMs: number
  readonly everyMs: number
  readonly status: number
  /** Text that the body must hold; `${{ release.version }}`, `${{ release.id }}` and `${{ release.sha }}` are replaced. */
  readonly contains?: string
  /** Successful answers in a row that count as healthy. */
  readonly successes: number
}

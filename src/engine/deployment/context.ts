import type { DriverName, TargetConfig } from '#core/project/model.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { AgentNotice } from '#ports/agent-socket.ts'
import type { BlobStore } from '#ports/blob-store.ts'
import type { DatabaseTool } from '#ports/database-tool.ts'
import type { Clock } from '#ports/clock.ts'
import type { DeployDriver } from '#ports/deploy-driver.ts'
import type { Git } from '#ports/git.ts'
import type { HealthProbe } from '#ports/health-probe.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Ids } from '#ports/ids.ts'
import type { AskQuality } from '#ports/quality-server.ts'
import type { AskReviews } from '#ports/review-desk.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'

/** What releases and deployments need of the world. Handed down as one read-only value. */
export interface DeliveryContext {
  readonly store: SqlDriver
  readonly files: Pick<HomeFiles, 'readText' | 'list' | 'write'>
  readonly git: Pick<Git, 'readFiles' | 'listFiles' | 'readBlob' | 'diffLines'>
  readonly clock: Clock
  readonly ids: Ids
  readonly sha256: Sha256
  /** Version of this program. */
  readonly program: string
  readonly blobs: BlobStore
  /** Files of backups. */
  readonly backups: BlobStore
  readonly databases: DatabaseTool
  readonly probe: HealthProbe
  readonly askQuality: AskQuality
  readonly askReviews: AskReviews
  readonly drivers: Readonly<Record<DriverName, DeployDriver<TargetConfig>>>
  /** Tells this process and those that watch it that something changed. Called after the commit. */
  readonly notify: (notice: AgentNotice) => void
}

import type { ProjectConfig } from '#core/project/model.ts'
import { defaultReports } from '#core/project/read-gates.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson, present } from './column.ts'

/** An application with the rules in force: `shipway.yml` of its default branch. */
export interface StoredApplication {
  readonly name: string
  /** Git repository on this machine. Relative targets and `./` paths are relative to it. */
  readonly repository: string
  readonly config: ProjectConfig
  /** Commit that the rules were taken from. */
  readonly configSha?: string
  readonly updatedAt: number
}

interface ApplicationRow {
  readonly name: string
  readonly repository: string
  readonly config: string
  readonly config_sha: string | null
  readonly updated_at: number
}

/** Puts rules into force. */
export async function saveApplication(q: Query, application: Omit<StoredApplication, 'updatedAt'>): Promise<void> {
  await q(
    `insert into application (name, repository, config, config_sha, updated_at) values ($1, $2, $3, $4, {now})
     on conflict (name) do update set repository = $2, config = $3, config_sha = $4, updated_at = {now}`,
    [application.name, application.repository, JSON.stringify(application.config), application.configSha ?? null],
  )
}

export async function loadApplication(q: Query, name: string): Promise<StoredApplication | undefined> {
  const [row] = await q<ApplicationRow>('select * from application where name = $1', [name])
  return row === undefined ? undefined : storedApplication(row)
}

export async function listApplications(q: Query): Promise<readonly StoredApplication[]> {
  const rows = await q<ApplicationRow>('select * from application order by name')
  return rows.map(storedApplication)
}

function storedApplication(row: ApplicationRow): StoredApplication {
  return {
    name: row.name,
    repository: row.repository,
    config: completeRules(fromJson<StoredRules>(row.config)),
    updatedAt: row.updated_at,
    ...present({ configSha: row.config_sha }),
  }
}

type StoredRules = Omit<ProjectConfig, 'waivers' | 'release'> & {
  readonly waivers?: ProjectConfig['waivers']
  readonly release: Omit<ProjectConfig['release'], 'reports'> & Partial<ProjectConfig['release']>
}

/** Rules that an older program wrote have no waivers and no places of reports. */
function completeRules(stored: StoredRules): ProjectConfig {
  return { waivers: [], ...stored, release: { reports: defaultReports, ...stored.release } }
}

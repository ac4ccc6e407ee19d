import { upstreamName } from '#core/compose/blue-green.ts'
import type { BlueGreenConfig } from '#core/compose/blue-green.ts'
import { composeFiles, composeProject, ofTarget } from '#core/compose/model.ts'
import type { ComposeConfig } from '#core/compose/model.ts'
import { renderDotenv } from '#core/deployment/dotenv.ts'
import { composeFileMissing } from '#core/known/compose.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'

/** What the scripts on the target read, as `script/engine.ts` describes it. Throws when the release has no compose file. */
export function renderSettings(order: TargetOrder, config: ComposeConfig): string {
  const paths = new Set(order.release.manifest.files.map(({ path }) => path))
  const files = composeFiles(config, paths)
  const missing = files?.filter((file) => !paths.has(file)) ?? ['compose.yaml', 'docker-compose.yml']
  if (files === undefined || missing.length > 0)
    throw composeFileMissing({ environment: order.environment, wanted: missing })
  return renderDotenv({
    project: composeProject(config, order),
    files: files.toReversed().join('\n'),
    profiles: config.profiles.toReversed().join('\n'),
    engine: config.engine ?? '',
    within: String(Math.ceil(config.healthWithinMs / 1000)),
    ...(config.blueGreen === undefined
      ? {}
      : blueGreenSettings(config.blueGreen, order, composeProject(config, order))),
  })
}

/** What `script/examine.ts` reads: of the environment, before any release. */
export function renderExamined(config: ComposeConfig, target: TargetOrder['target']): string {
  const blueGreen = config.blueGreen === undefined ? {} : nginxSettings(config.blueGreen, target)
  return renderDotenv({ project: '', files: '', profiles: '', engine: config.engine ?? '', within: '0', ...blueGreen })
}

/** As `nginxLibrary` reads it. */
function nginxSettings(config: BlueGreenConfig, target: TargetOrder['target']): Readonly<Record<string, string>> {
  return {
    upstream: ofTarget(config.upstream, target),
    nginx: config.nginx
      .map((word) => ofTarget(word, target))
      .toReversed()
      .join('\n'),
    drain: String(Math.ceil(config.drainWithinMs / 1000)),
  }
}

/** As `script/colour.ts` and `nginxLibrary` read it. */
function blueGreenSettings(
  config: BlueGreenConfig,
  { target }: TargetOrder,
  project: string,
): Readonly<Record<string, string>> {
  return {
    colours: config.services.map(({ name, port }) => `${name} ${port} ${upstreamName(project, name)}`).join('\n'),
    ...nginxSettings(config, target),
    replicas: String(config.replicas),
    ports_first: String(config.ports[0]),
    ports_last: String(config.ports[1]),
    standby: config.standby ? 'yes' : 'no',
  }
}

/**
 * What `${NAME}` in the compose files means, and `.env` of the documents' pipelines: variables, secrets, what the release is, and its images
 * as `BACKEND_IMAGE` and so on. What the user has named himself wins.
 */
export function renderEnvironment(order: TargetOrder): string {
  const { id, manifest } = order.release
  const images = Object.entries(manifest.images ?? {}).map(([name, image]) => [imageVariable(name), image])
  return renderDotenv({
    SHIPWAY_RELEASE: id,
    SHIPWAY_VERSION: manifest.version,
    SHIPWAY_SHA: manifest.source.sha,
    SHIPWAY_APPLICATION: order.application,
    SHIPWAY_ENVIRONMENT: order.environment,
    ...(Object.fromEntries(images) as Record<string, string>),
    ...order.variables,
    ...order.secrets,
  })
}

/** `backend` → `BACKEND_IMAGE` */
function imageVariable(name: string): string {
  return `${name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '_')
    .replace(/^\d/, '_$&')}_IMAGE`
}

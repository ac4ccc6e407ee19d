import { ofTarget } from '../compose/model.ts'
import { nginxSwitchDefaults } from '../nginx/switch.ts'
import type { NginxSwitch } from '../nginx/switch.ts'
import type { nginxSwitchFields } from './nginx-switch-schema.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'

// oxlint-disable-next-line no-control-regex -- control characters are what is kept out
const filePath = /^\/(?:[^/\u0000-\u001f]+\/)*[^/\u0000-\u001f"'\\;{}$#]+$/

/** The keys of a group `blueGreen` that are about nginx, with their defaults; every mistake is reported at its place. */
export function readNginxSwitch(
  reader: ProjectReader,
  written: ValuesOf<typeof nginxSwitchFields>,
  path: Path,
): NginxSwitch {
  const { upstream = '', nginx = nginxSwitchDefaults.nginx } = written
  const invalid = (key: string, message: string, hint: string): void =>
    reader.report('CONFIG_VALUE_INVALID', [...path, key], { message, hint })
  if (written.upstream !== undefined && !filePath.test(ofTarget(upstream, { name: 'x' })))
    invalid(
      'upstream',
      `"${upstream}" is no absolute path of a file.`,
      'Name a file that nginx includes, as /etc/nginx/conf.d/shop-upstream.conf.',
    )
  if (nginx.length === 0 || nginx.some((word) => word === '' || /[\r\n\0]/.test(word)))
    invalid('nginx', '"nginx" is no command.', 'Write nginx, or its words as a list: [sudo, -n, nginx].')
  return {
    upstream,
    nginx,
    drainWithinMs: written.drainWithin ?? nginxSwitchDefaults.drainWithinMs,
    standby: written.standby ?? nginxSwitchDefaults.standby,
  }
}

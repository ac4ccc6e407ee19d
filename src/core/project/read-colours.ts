import { isComposeProject, ofTarget } from '../compose/model.ts'
import { colourDefaults } from '../nginx/colour.ts'
import type { ColourConfig } from '../nginx/colour.ts'
import type { colourFields } from './colour-schema.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import { readNginxSwitch } from './read-nginx-switch.ts'
import type { ProjectReader } from './reader.ts'

/** The group `blueGreen` of the driver directory with its defaults; every mistake is reported at its place. */
export function readColours(reader: ProjectReader, written: ValuesOf<typeof colourFields>, path: Path): ColourConfig {
  const { health = colourDefaults.health, name, start = '', stop = '' } = written
  const [blue = 0, green = 0, ...more] = (written.ports ?? []).map((text) =>
    /^\d{1,5}$/.test(text) ? Number(text) : 0,
  )
  const invalid = (key: string, message: string, hint: string): void =>
    reader.report('CONFIG_VALUE_INVALID', [...path, key], { message, hint })
  const isPort = (port: number): boolean => port >= 1 && port <= 65_535
  if (written.ports !== undefined && (!isPort(blue) || !isPort(green) || blue === green || more.length > 0))
    invalid(
      'ports',
      `"${written.ports.join(', ')}" are not two ports.`,
      'Two different ones that nothing else has: [3001, 3002].',
    )
  if (!/^\/[\w\-.~!$&'()*+,;=:@%/?]*$/.test(health))
    invalid('health', `"${health}" is no path of an address.`, 'Write what comes after the port, as /health.')
  if (name !== undefined && !isComposeProject(ofTarget(name, { name: 'x' })))
    invalid(
      'name',
      `"${name}" is no name for a group of servers.`,
      'Small letters and digits, with single - or _ between them.',
    )
  return {
    ports: [blue, green],
    start,
    stop,
    health,
    healthWithinMs: written.healthWithin ?? colourDefaults.healthWithinMs,
    ...(name === undefined ? {} : { name }),
    ...readNginxSwitch(reader, written, path),
  }
}

import { blueGreenDefaults, parseBlueGreenService, parsePortRange } from '../compose/blue-green.ts'
import type { BlueGreenConfig, BlueGreenService } from '../compose/blue-green.ts'
import type { blueGreenFields } from './compose-schema.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import { readNginxSwitch } from './read-nginx-switch.ts'
import type { ProjectReader } from './reader.ts'

/** The group `compose.blueGreen` with its defaults; every mistake is reported at its place. */
export function readBlueGreen(
  reader: ProjectReader,
  written: ValuesOf<typeof blueGreenFields>,
  path: Path,
): BlueGreenConfig {
  const { replicas = blueGreenDefaults.replicas } = written
  const services = readServices(reader, written.services ?? [], [...path, 'services'])
  const ports = written.ports === undefined ? blueGreenDefaults.ports : parsePortRange(written.ports)
  const invalid = (key: string, message: string, hint: string): void =>
    reader.report('CONFIG_VALUE_INVALID', [...path, key], { message, hint })
  if (written.services?.length === 0) invalid('services', '"services" is empty.', 'Name at least one, as web:3000.')
  if (ports === undefined)
    invalid(
      'ports',
      `"${written.ports ?? ''}" is no range of ports.`,
      'Two numbers between 1024 and 65535, as 20000-20999.',
    )
  else if (ports[1] - ports[0] + 1 < 3 * replicas * services.length)
    invalid(
      'ports',
      'The range of ports is too short.',
      `Three sets of ${services.length * replicas} containers must fit.`,
    )
  return {
    services,
    replicas,
    ports: ports ?? blueGreenDefaults.ports,
    ...readNginxSwitch(reader, written, path),
  }
}

function readServices(reader: ProjectReader, written: readonly string[], path: Path): readonly BlueGreenService[] {
  const services: BlueGreenService[] = []
  for (const [index, text] of written.entries()) {
    const service = parseBlueGreenService(text)
    const isTwice = services.some(({ name }) => name === service?.name)
    if (service !== undefined && !isTwice) services.push(service)
    else
      reader.report('CONFIG_VALUE_INVALID', [...path, index], {
        message: isTwice ? `The service of "${text}" is named twice.` : `"${text}" is no service with its port.`,
        hint: 'Write the name of the service and the port that it listens at in its container, as web:3000.',
      })
  }
  return services
}

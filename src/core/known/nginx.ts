import { KnownError } from '../errors.ts'

interface NginxFact {
  readonly target: string
}

/** The command of `blueGreen.nginx` is not on the host. */
export function nginxMissing(fact: NginxFact & { command: string }): KnownError {
  return new KnownError({
    code: 'NGINX_MISSING',
    kind: 'usage',
    message: `The target ${fact.target} has no command "${fact.command}".`,
    hint: 'Install nginx on the host, or say how it is called as `blueGreen.nginx`. Nothing was switched.',
  })
}

/** There is no master process to tell anything to. */
export function nginxSilent(fact: NginxFact & { pidFile: string }): KnownError {
  return new KnownError({
    code: 'NGINX_SILENT',
    kind: 'red',
    message: `No nginx runs on the target ${fact.target}: ${fact.pidFile} names no living process.`,
    hint: 'Start nginx on the host, for example with `systemctl start nginx`, then deploy again. Nothing was switched.',
  })
}

/** `nginx -t` fails. */
export function nginxConfigRefused(fact: NginxFact & { file: string; details: readonly string[] }): KnownError {
  // The last line only repeats that the test has failed; before it stands why.
  const why = fact.details.findLast((line) => /\[(?:emerg|alert|crit)\]/.test(line)) ?? fact.details.at(-1)
  return new KnownError({
    code: 'NGINX_CONFIG_REFUSED',
    kind: 'red',
    message: `The nginx of the target ${fact.target} refuses its configuration: ${why ?? 'it does not say why'}`,
    hint: `Try \`nginx -t\` on the host. Before the first deployment ${fact.file} holds a group for each name that \`proxy_pass\` says, as \`upstream NAME { server 127.0.0.1:9 down; }\`. What ran before is served.`,
    details: fact.details,
  })
}

/** nginx does not include the file that Shipway writes. */
export function nginxUpstreamUnread(fact: NginxFact & { file: string }): KnownError {
  return new KnownError({
    code: 'NGINX_UPSTREAM_UNREAD',
    kind: 'usage',
    message: `The nginx of the target ${fact.target} does not include ${fact.file}, so it would never hear of a switch.`,
    hint: `Write \`include ${fact.file};\` inside of \`http { … }\`, or name a file below conf.d. Nothing was switched.`,
  })
}

/** The file holds something that Shipway would destroy. */
export function nginxUpstreamForeign(fact: NginxFact & { file: string }): KnownError {
  return new KnownError({
    code: 'NGINX_UPSTREAM_FOREIGN',
    kind: 'refused',
    message: `${fact.file} on the target ${fact.target} holds more than groups of servers (\`upstream\`), and would be written whole.`,
    hint: 'Name a file of its own as `blueGreen.upstream`. Nothing was touched.',
  })
}

/** The deploying account may not replace the file. */
export function nginxUpstreamClosed(fact: NginxFact & { file: string }): KnownError {
  return new KnownError({
    code: 'NGINX_UPSTREAM_CLOSED',
    kind: 'auth',
    message: `The deploying account may not write ${fact.file} on the target ${fact.target}: its folder is not there or not writable.`,
    hint: 'Give the account a folder of its own that nginx includes, or the right to write there. Nothing was touched.',
  })
}

/** The configuration was right, and nginx stayed with the old one: as with an address that another program has. */
export function nginxReloadIgnored(fact: NginxFact & { details: readonly string[] }): KnownError {
  return new KnownError({
    code: 'NGINX_RELOAD_IGNORED',
    kind: 'red',
    message: `The nginx of the target ${fact.target} was told to reload and has started no new workers.`,
    hint: 'Its error log has a line with [emerg] that says why. What ran before is served.',
    details: fact.details,
  })
}

/** Services that can only be there once cannot be switched (compose.blueGreen.services). */
export function serviceSingle(fact: { environment: string; obstacles: readonly string[] }): KnownError {
  return new KnownError({
    code: 'SERVICE_SINGLE',
    kind: 'usage',
    message: `In ${fact.environment} services cannot be there twice, as blue-green needs it: ${fact.obstacles.join('; ')}.`,
    hint: 'Remove `ports`, `container_name` and `network_mode` of these services: a port on loopback is chosen for each container, and nginx is told.',
  })
}

/** Without a health check nobody knows when a container can be switched to. */
export function serviceUnchecked(fact: NginxFact & { service: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_UNCHECKED',
    kind: 'usage',
    message: `The service ${fact.service} has no health check, so nobody knows when nginx on ${fact.target} may be switched to it.`,
    hint: 'Give it a `healthcheck` in the compose file, or its image a HEALTHCHECK. Nothing was switched.',
  })
}

/** The release before was switched by nginx, this one would be replaced where it stands. */
export function blueGreenLeft(fact: NginxFact & { what: string; key: string; end: string }): KnownError {
  return new KnownError({
    code: 'BLUE_GREEN_LEFT',
    kind: 'refused',
    message: `The nginx of the target ${fact.target} serves ${fact.what} that this release does not switch: it has no \`${fact.key}\`.`,
    hint: `Deploy a release with \`${fact.key}\`; or point nginx elsewhere, and ${fact.end}.`,
  })
}

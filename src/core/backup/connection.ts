/** How PostgreSQL's own programs reach a database: names and values of their environment variables. */
export interface DatabaseConnection {
  readonly variables: Readonly<Record<string, string>>
  /** Never shown: it is taken out of everything that a server says. */
  readonly password?: string
}

/** Parameters of an address that have an environment variable of their own. */
const parameters: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  connect_timeout: 'PGCONNECT_TIMEOUT',
}

/** Stands for the host that an address does not name; no name of the DNS is like it. */
const noHost = '_no_host_'

/**
 * Reads `postgres://user:password@host:port/database?sslmode=require`. Returns what is wrong with it as a sentence that does not repeat it:
 * it is a secret.
 */
export function parseDatabaseUrl(text: string): DatabaseConnection | { readonly problem: string } {
  // An address without a host is one for PostgreSQL: its socket, or the parameter "host".
  const withHost = text.trim().replace(/^(postgres(?:ql)?:\/\/(?:[^/?#@]*@)?)(?=[/?]|$)/, `$1${noHost}`)
  let url: URL
  try {
    url = new URL(withHost)
  } catch {
    return { problem: 'it is no address' }
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')
    return { problem: `it begins with "${url.protocol}", and only postgres: and postgresql: are known` }
  const variables: Record<string, string> = {}
  const set = (name: string, value: string): void => {
    if (value !== '') variables[name] = value
  }
  try {
    if (url.hostname !== noHost) set('PGHOST', decodeURIComponent(url.hostname).replaceAll(/^\[|\]$/g, ''))
    set('PGPORT', url.port)
    set('PGUSER', decodeURIComponent(url.username))
    set('PGPASSWORD', decodeURIComponent(url.password))
    set('PGDATABASE', decodeURIComponent(url.pathname.replace(/^\//, '')))
  } catch {
    return { problem: 'a "%" in it is not followed by two hexadecimal digits' }
  }
  for (const [name, value] of url.searchParams) {
    const variable = parameters[name]
    if (variable === undefined) return { problem: `its parameter "${name}" is not known` }
    set(variable, value)
  }
  if (variables['PGDATABASE'] === undefined) return { problem: 'it names no database' }
  // Values travel as lines, and environment variables end at a zero byte.
  if (Object.values(variables).some((value) => /[\n\r\0]/.test(value)))
    return { problem: 'a value in it has more than one line' }
  const password = variables['PGPASSWORD']
  return { variables, ...(password === undefined ? {} : { password }) }
}

/** An entry of the host's `pg_service.conf`; the password is where PostgreSQL itself looks for it. */
export function serviceConnection(service: string): DatabaseConnection {
  return { variables: { PGSERVICE: service } }
}

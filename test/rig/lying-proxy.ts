import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy before a registry that changes what it passes on, as a broken cache between would. */
export interface LyingProxy extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly address: string
  /** `bytes`: a manifest has a blank more than was pushed. `tag`: a tag seems to mean something else. */
  lie: 'bytes' | 'tag' | undefined
}

export async function startLyingProxy(target: string): Promise<LyingProxy> {
  const state: { lie: LyingProxy['lie'] } = { lie: undefined }
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const onward = request(`http://${target}${url}`, { method, headers }, (answer) => {
      // Docker itself looks at tags, too; whoever asks for these by HEAD and without its name is the one that compares.
      const isOurs = !(headers['user-agent'] ?? '').startsWith('docker/')
      const changed = { ...answer.headers }
      if (isOurs && state.lie === 'tag' && method === 'HEAD' && !url.includes('sha256'))
        changed['docker-content-digest'] = `sha256:${'0'.repeat(64)}`
      const isBytes = isOurs && state.lie === 'bytes' && method === 'GET' && url.includes('/manifests/sha256')
      if (isBytes) delete changed['content-length']
      outgoing.writeHead(answer.statusCode ?? 500, changed)
      if (isBytes) outgoing.write(' ')
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

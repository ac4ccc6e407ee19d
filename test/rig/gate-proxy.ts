import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A door on loopback before a server: while it is shut, every connection ends at once, as with a server that is away. */
export interface GateProxy extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly address: string
  /** Ends all connections, and as many of those that come now: a count, so that no test depends on who is quicker. */
  shutFor(connections: number): void
}

export async function startGateProxy(target: string): Promise<GateProxy> {
  const sockets = new Set<Socket>()
  const [host = '', port = ''] = target.split(':')
  let refusals = 0
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const proxy = createServer((client) => {
    if (refusals > 0) {
      refusals -= 1
      client.on('error', () => {})
      client.destroy()
      return
    }
    const server = connect(Number(port), host)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => (client.destroy(), server.destroy()))
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(server)
    server.pipe(client)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    shutFor: (connections) => {
      refusals = connections
      cutAll()
    },
    [Symbol.asyncDispose]: async () => {
      cutAll()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

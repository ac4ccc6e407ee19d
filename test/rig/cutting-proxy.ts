import { type Server, type Socket, connect, createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** A connection on loopback to a unix socket, that is cut when the client has said a certain thing. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
  /** Cuts the next connection on which the text passes, before it reaches the server or once the server has answered it. */
  cutAt(text: string, when: 'before' | 'answered'): void
}

export async function startCuttingProxy(socketPath: string): Promise<CuttingProxy> {
  let wish: { readonly text: string; readonly when: 'before' | 'answered' } | undefined
  const sockets = new Set<Socket>()
  const proxy: Server = createServer((client) => {
    const server = connect(socketPath)
    let isLastAnswer = false
    const cut = (): void => {
      client.destroy()
      server.end()
    }
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('end', () => server.end())
    client.on('data', (bytes: Buffer) => {
      if (wish !== undefined && bytes.includes(wish.text)) {
        const { when } = wish
        wish = undefined
        if (when === 'before') return cut()
        isLastAnswer = true
      }
      server.write(bytes)
    })
    server.on('data', (bytes: Buffer) => {
      if (isLastAnswer) cut()
      else client.write(bytes)
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    cutAt: (text, when) => {
      wish = { text, when }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { socketFolderUnsafe } from '#core/known/home.ts'
import type { AgentNotice, AgentSocket } from '#ports/agent-socket.ts'

/** An AF_UNIX path may have 107 bytes on Linux and 103 on macOS. */
const socketPathMax = 100

/**
 * Notices that wait for one watcher. One that does not read, because its terminal stands still, misses what comes then: a notice is a hint, and
 * whoever follows looks by himself, too. Bytes.
 */
const unreadBytesMax = 64 * 1024

/** Lines of a watcher that mean more than a poke. */
const word = { follow: 'follow', quiet: 'quiet?' } as const

/** The socket of a state home: in it, or in a private folder of the user when its path would be too long for a socket. */
export function agentSocket(home: string): AgentSocket {
  const file = socketPath(home)
  return {
    async listen(handlers) {
      const watchers = new Set<Socket>()
      const followers = new Set<Socket>()
      const server = createServer((socket) => {
        watchers.add(socket)
        socket
          .on('error', () => undefined)
          .on('close', () => {
            watchers.delete(socket)
            followers.delete(socket)
          })
        createInterface({ input: socket })
          .on('error', () => undefined)
          .on('line', (line) => {
            if (line === word.follow) followers.add(socket)
            else if (line === word.quiet) void handlers.whenQuiet().then(() => send(socket, { type: 'quiet' }))
            else handlers.poke()
          })
      })
      rmSync(file, { force: true })
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(file, resolve)
      })
      server.unref()
      return {
        get followers() {
          return followers.size
        },
        notify: (notice) => {
          for (const socket of watchers) if (socket.writableLength < unreadBytesMax) send(socket, notice)
        },
        [Symbol.asyncDispose]: async () => {
          for (const socket of watchers) socket.destroy()
          await new Promise((resolve) => {
            server.close(resolve)
          })
        },
      }
    },
    async connect(onNotice) {
      const socket = connect(file)
      const closed = new Promise<void>((resolve) => {
        socket.on('error', () => undefined).on('close', () => resolve())
      })
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true))
        void closed.then(() => resolve(false))
      })
      if (!isOpen) return undefined
      createInterface({ input: socket })
        // It hands the socket's errors on, and one that nobody hears ends the process.
        .on('error', () => undefined)
        .on('line', (line) => {
          const notice = parseNotice(line)
          if (notice !== undefined) onNotice(notice)
        })
      return {
        closed,
        poke: () => {
          socket.write('\n')
        },
        follow: () => {
          socket.write(`${word.follow}\n`)
        },
        askQuiet: () => {
          socket.write(`${word.quiet}\n`)
        },
        [Symbol.dispose]: () => socket.destroy(),
      }
    },
  }
}

function send(socket: Socket, notice: AgentNotice): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(notice)}\n`)
}

/** Undefined for a line that an agent has left unfinished when it was killed. */
function parseNotice(line: string): AgentNotice | undefined {
  try {
    return JSON.parse(line) as AgentNotice
  } catch {
    return undefined
  }
}

function socketPath(home: string): string {
  const inHome = path.join(home, 'agent.sock')
  if (Buffer.byteLength(inHome) <= socketPathMax) return inHome
  const folder = path.join(tmpdir(), `shipway-${userInfo().uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(folder)
  // Anybody may make a folder of this name in /tmp, and then answer in the place of the agent.
  if (uid !== userInfo().uid || (mode & 0o022) !== 0) throw socketFolderUnsafe({ folder })
  return path.join(folder, `${createHash('sha256').update(home).digest('hex').slice(0, 24)}.sock`)
}

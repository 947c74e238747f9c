import { connect, createServer, type Socket } from 'node:net'

/** A port that passes connections on to what stands behind it, as a Service does on a cluster. */
export type Front = {
  /** New connections go there; the open ones stay where they are. */
  pointTo(port: number): void
  /** Breaks one open connection, chosen at random, on both sides; false when there is none. */
  cutOne(): boolean
  /** Passes nothing on any more, on open and on new connections, as something that hangs. */
  freeze(): void
  /** Breaks all connections and refuses new ones, as something that is gone. */
  refuse(): Promise<void>
  /** Ends both. */
  recover(): Promise<void>
  close(): Promise<void>
}

/** Listens on a loopback port, and passes everything on to another one. */
export async function openFront(port: number, behind: number): Promise<Front & { port: number }> {
  const open = new Map<Socket, Socket>()
  let isFrozen = false
  const join = (outer: Socket, inner: Socket) => {
    outer.pipe(inner)
    inner.pipe(outer)
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
    const inner = connect({ port: behind, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    open.set(outer, inner)
    if (!isFrozen) join(outer, inner)
    const end = () => {
      open.delete(outer)
      outer.destroy()
      inner.destroy()
    }
    for (const socket of [outer, inner]) socket.on('error', end)
    for (const socket of [outer, inner]) socket.on('close', end)
  })
  const listen = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(on, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(port)
  const own = (server.address() as { port: number }).port
  const cut = ([outer, inner]: [Socket, Socket]) => {
    outer.resetAndDestroy()
    inner.resetAndDestroy()
  }
  const refuse = () => {
    for (const pair of open) cut(pair)
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    port: own,
    pointTo(next) {
      behind = next
    },
    cutOne() {
      const chosen = [...open][Math.floor(Math.random() * open.size)]
      if (chosen) cut(chosen)
      return chosen !== undefined
    },
    freeze() {
      isFrozen = true
      for (const [outer, inner] of open) {
        outer.unpipe(inner).pause()
        inner.unpipe(outer).pause()
      }
    },
    refuse,
    async recover() {
      if (isFrozen) for (const [outer, inner] of open) join(outer, inner)
      isFrozen = false
      if (!server.listening) await listen(own)
    },
    close: refuse,
  }
}

/** A port that nobody listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

import { connect, createServer, type Socket } from 'node:net'

/** A port that passes connections on to what stands behind it, as a Service does on a cluster. */
export type Front = {
  /** New connections go there; the open ones stay where they are. */
  pointTo(port: number): void
  /** Breaks one open connection, chosen at random, on both sides; false when there is none. */
  cutOne(): boolean
  close(): Promise<void>
}

/** Listens on a loopback port, and passes everything on to another one. */
export async function openFront(port: number, behind: number): Promise<Front & { port: number }> {
  const open = new Map<Socket, Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
    const inner = connect({ port: behind, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    open.set(outer, inner)
    outer.pipe(inner)
    inner.pipe(outer)
    const end = () => {
      open.delete(outer)
      outer.destroy()
      inner.destroy()
    }
    for (const socket of [outer, inner]) socket.on('error', end)
    for (const socket of [outer, inner]) socket.on('close', end)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const cut = ([outer, inner]: [Socket, Socket]) => {
    outer.resetAndDestroy()
    inner.resetAndDestroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    pointTo(next) {
      behind = next
    },
    cutOne() {
      const chosen = [...open][Math.floor(Math.random() * open.size)]
      if (chosen) cut(chosen)
      return chosen !== undefined
    },
    close() {
      for (const pair of open) cut(pair)
      return new Promise((resolve) => server.close(() => resolve()))
    },
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

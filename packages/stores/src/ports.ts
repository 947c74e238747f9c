import { createServer } from 'node:net'

// Starts run in parallel: a port handed out here is not free any more, although nobody listens yet.
const handedOut = new Set<number>()

export const releasePort = (port: number): boolean => handedOut.delete(port)

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })

/** The wanted port, or the next free one in steps of ten if somebody else has it. */
export async function choosePort(wanted: number, what: string, log: (line: string) => void): Promise<number> {
  for (let port = wanted; port < wanted + 2000; port += 10) {
    if (handedOut.has(port)) continue
    handedOut.add(port)
    if (await isFree(port)) {
      if (port !== wanted) log(`${what}: port ${wanted} is taken by another program, using ${port}`)
      return port
    }
    handedOut.delete(port)
  }
  throw new Error(`${what}: no free port from ${wanted} on`)
}

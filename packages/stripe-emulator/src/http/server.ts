import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Request, Response } from './api.ts'

export type Handle = (request: Request) => Promise<Response | 'reset'>
export type Listening = { host: string; port: number; close: () => Promise<void> }

const bodyLimit = 1_000_000

/** Serves each prefix by its handler; the longest one that matches wins. */
export async function listen(host: string, port: number, handlers: Record<string, Handle>): Promise<Listening> {
  const prefixes = Object.keys(handlers).toSorted((a, b) => b.length - a.length)
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy())
  })

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://emulator')
    const prefix = prefixes.find((each) => url.pathname.startsWith(each))
    const handle = handlers[prefix ?? '']
    if (incoming.method === 'OPTIONS') {
      outgoing.writeHead(204, preflightHeaders).end()
      return
    }
    if (!handle) {
      outgoing.writeHead(404).end()
      return
    }
    const response = await handle({
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.search.slice(1),
      headers: incoming.headers,
      body: await readBody(incoming),
    })
    if (response === 'reset') incoming.socket.resetAndDestroy()
    else outgoing.writeHead(response.status, response.headers).end(response.body)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return { host, port: address.port, close: () => closeServer(server) }
}

const preflightHeaders = {
  'access-control-allow-headers': 'authorization, content-type, idempotency-key, stripe-account, stripe-version',
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-origin': '*',
  'access-control-max-age': '300',
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new Error('request body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()))
    server.closeAllConnections()
  })
}

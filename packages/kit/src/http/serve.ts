import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { newId } from '../id.ts'
import type { Log } from '../log.ts'

const MAX_HEADER_BYTES = 16 * 1024
/** Idle connections live this long, and answers say so (`Keep-Alive: timeout`), so that clients do not use one at its end. */
const KEEP_ALIVE_MS = 10_000
const LOOK_EVERY_MS = 50
/**
 * New connections that wait to be accepted; the kernel takes no more than its own `somaxconn`. With Node's 511 a crowd's connections
 * were dropped without a word, and their clients tried again after 1, 3, 7 and 15 s instead of hearing 503.
 */
const BACKLOG = 4_096

/** Anything with Hono's `fetch`. */
export type Fetchable = {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>
  /** Answers without `fetch`, or says no. */
  answerHeld?(request: IncomingMessage, response: ServerResponse): boolean
}

export type HttpServer = {
  port: number
  /** `http://host:port` */
  url: string
  /**
   * Ends every connection with its next answer (`Connection: close`), for `drainMs` or until none is left. Then stops taking
   * connections, closes idle ones and resolves when the answers in flight are done; by force after `graceMs` in all.
   */
  close(): Promise<void>
}

/**
 * Serves an app over HTTP/1.1 with limits on headers and time; requests no parser accepts get our error shape as well.
 */
export async function serveHttp(options: {
  app: Fetchable
  /** 0 takes a free port. */
  port: number
  host?: string
  log: Log
  /**
   * How long a stop waits for requests that are on their way on open connections. A client that heeds `Keep-Alive` loses none
   * when it is as long as idle connections live; none by default.
   */
  drainMs?: number
  graceMs?: number
}): Promise<HttpServer> {
  const inFlight = new Set<ServerResponse>()
  const sockets = new Set<Socket>()
  let draining = false
  const listener = getRequestListener((request, env) => options.app.fetch(request, env as HttpBindings), {
    errorHandler: (error) => {
      if (!isRequestError(error)) options.log.error({ err: error }, 'request failed outside the app')
      return new Response(refusal(isRequestError(error) ? 'request_malformed' : 'internal_error'), {
        status: isRequestError(error) ? 400 : 500,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      })
    },
  })
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (req, res) => {
      if (!draining && options.app.answerHeld?.(req, res)) return
      if (draining) res.setHeader('Connection', 'close')
      inFlight.add(res)
      res.once('close', () => inFlight.delete(res))
      void listener(req, res)
    },
  )
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const [status, code] = PARSER_REFUSALS[error.code ?? ''] ?? ['400 Bad Request', 'request_malformed']
    const body = refusal(code)
    const head = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Type: application/json']
    socket.end([...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port: options.port, host: options.host, backlog: BACKLOG }, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host && options.host !== '0.0.0.0' && options.host !== '::' ? options.host : '127.0.0.1'
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      draining = true
      for (const res of inFlight) if (!res.headersSent) res.setHeader('Connection', 'close')
      const giveUpAt = Date.now() + (options.graceMs ?? 20_000)
      const drainedAt = Date.now() + (options.drainMs ?? 0)
      while (sockets.size > 0 && Date.now() < drainedAt) await pause(LOOK_EVERY_MS)
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => {
          options.log.warn({ inFlight: inFlight.size }, 'requests cut off after the grace period')
          server.closeAllConnections()
        }, giveUpAt - Date.now())
        server.close(() => {
          clearTimeout(force)
          resolve()
        })
        // Node leaves connections open that have not sent a request yet.
        const busy = new Set([...inFlight].map((res) => res.socket))
        for (const socket of sockets) if (!busy.has(socket)) socket.destroy()
      })
    },
  }
}

const PARSER_REFUSALS: Record<string, [status: string, code: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request_timeout'],
}

const isRequestError = (error: unknown): boolean => (error as Error | undefined)?.name === 'RequestError'

const refusal = (code: string): string =>
  JSON.stringify({ error: { code, message: 'the request cannot be read', details: {}, requestId: newId() } })

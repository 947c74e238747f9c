import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Whether the process can do its work, and what it looked at. */
export type Readiness = { ok: boolean; checks: Record<string, string> }

/**
 * The port for machines: `/metrics`, `/livez` (the event loop turns; dependencies are not asked) and `/readyz` (503
 * while starting, stopping or unable to serve). No credentials; keep it inside the cluster.
 */
export async function startAdminServer(options: {
  host?: string
  /** 0 takes a free port. */
  port: number
  metricsText: () => Promise<string>
  ready: () => Promise<Readiness>
}): Promise<{ port: number; close(): Promise<void> }> {
  const json = (res: ServerResponse, status: number, body: unknown) =>
    res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
  const answer = async (path: string, res: ServerResponse) => {
    if (path === '/livez') return json(res, 200, { ok: true })
    if (path === '/readyz') {
      const readiness = await options.ready()
      return json(res, readiness.ok ? 200 : 503, readiness)
    }
    if (path === '/metrics') {
      const text = await options.metricsText()
      return res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
    }
    return json(res, 404, { ok: false })
  }
  const server = createServer({ requestTimeout: 10_000, keepAliveTimeout: 5_000 }, (req, res) => {
    answer((req.url ?? '/').split('?', 1)[0]!, res).catch(() => {
      if (!res.headersSent) json(res, 503, { ok: false })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

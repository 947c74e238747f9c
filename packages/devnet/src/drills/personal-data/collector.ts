import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Takes what processes send to an OTLP collector, and keeps it as it came. */
export async function openCollector() {
  const bodies: Buffer[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    bodies.push(Buffer.concat(chunks))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    /** What makes a process send its traces and metrics here, often. */
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '2000',
      OTEL_METRIC_EXPORT_TIMEOUT: '1500',
      OTEL_BSP_SCHEDULE_DELAY: '500',
    },
    bodies,
    /** Spans that came so far. */
    spans: (): number =>
      bodies.reduce((sum, body) => sum + (body.toString('latin1').match(/"spanId"/g)?.length ?? 0), 0),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * OpenTelemetry for a process, without its code knowing: `node --import @haat/kit/telemetry src/main.ts`. Everything is said
 * by the standard OTEL_* variables; without an exporter among them this file loads nothing and costs nothing.
 */
const exporters = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER']

if (process.env.OTEL_SDK_DISABLED !== 'true' && exporters.some((name) => process.env[name])) await start()

async function start(): Promise<void> {
  // Packages imported by ES modules are patched on their way in; the hook comes before the first of them.
  const { register } = await import('import-in-the-middle/register-hooks.mjs')
  register({
    include: ['http', 'node:http', 'https', 'node:https', '@grpc/grpc-js', 'pg', 'pg-pool', 'mongodb', 'ioredis'],
  })

  const [{ startNodeSdk }, { HttpInstrumentation }, { GrpcInstrumentation }, { PgInstrumentation }, mongo, redis] =
    await Promise.all([
      import('@opentelemetry/sdk-node'),
      import('@opentelemetry/instrumentation-http'),
      import('@opentelemetry/instrumentation-grpc'),
      import('@opentelemetry/instrumentation-pg'),
      import('@opentelemetry/instrumentation-mongodb'),
      import('@opentelemetry/instrumentation-ioredis'),
    ])
  const sdk = startNodeSdk({
    // The process has its own /metrics and log; these two are sent only when asked for.
    ...(process.env.OTEL_METRICS_EXPORTER ? {} : { metricReaders: [] }),
    ...(process.env.OTEL_LOGS_EXPORTER ? {} : { logRecordProcessors: [] }),
    instrumentations: [
      new HttpInstrumentation({
        // Probes and scrapes come every few seconds and tell nothing.
        ignoreIncomingRequestHook: ({ url = '' }) => /^\/(livez|readyz|metrics)\b/.test(url),
        // What a query asks for may be personal (a file's name, an address), and so is who asks; push addresses are secrets.
        startIncomingSpanHook: () => ({
          'url.query': undefined,
          'client.address': undefined,
          'network.peer.address': undefined,
          'user_agent.original': undefined,
        }),
        startOutgoingSpanHook: () => ({ 'url.full': undefined }),
      }),
      new GrpcInstrumentation({ ignoreGrpcMethods: ['Check', 'Watch'] }),
      // Statements appear without their values; a timer's query that belongs to no request makes no trace of its own.
      new PgInstrumentation({ requireParentSpan: true }),
      new mongo.MongoDBInstrumentation({ requireParentSpan: true }),
      new redis.IORedisInstrumentation({ requireParentSpan: true }),
    ],
  })
  // The loop is empty once a stop has drained everything: the last spans leave before the process does.
  process.once('beforeExit', () => void sdk.shutdown().catch(() => undefined))
}

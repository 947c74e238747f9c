import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The metrics every process has; one registry per process part, labelled with its name. */
export type Metrics = {
  registry: Registry
  rpc: Histogram<'method' | 'status'>
  http: Histogram<'method' | 'route' | 'status'>
  published: Counter<'type'>
  handled: Histogram<'type' | 'outcome'>
  lag: Gauge
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** How often a process looks how late its timers are; every look wakes it up. */
const EVENT_LOOP_RESOLUTION_MS = 500
let hasProcess = false

/** The Node process's own figures are among the metrics of the first part that starts in it. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (!hasProcess) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS })
  hasProcess = true
  const registers = [registry]
  return {
    registry,
    rpc: new Histogram({
      name: 'rpc_server_duration_seconds',
      help: 'Time to answer an RPC.',
      labelNames: ['method', 'status'],
      buckets: SECONDS,
      registers,
    }),
    http: new Histogram({
      name: 'http_server_duration_seconds',
      help: 'Time to answer an HTTP request.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    published: new Counter({
      name: 'events_published_total',
      help: 'Events confirmed by the broker.',
      labelNames: ['type'],
      registers,
    }),
    handled: new Histogram({
      name: 'event_handler_duration_seconds',
      help: 'Time an event handler took.',
      labelNames: ['type', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    lag: new Gauge({
      name: 'outbox_lag_seconds',
      help: 'Age of the oldest committed event that is not published.',
      registers,
    }),
  }
}

import { Redis } from 'ioredis'
import type { Log } from './log.ts'

export type { Redis }

/**
 * A client for caches, limits and sessions that never keeps a request waiting: a command fails at once while the server
 * is away, and after `commandTimeoutMs` when it hangs. Only commands given before the first connection are queued.
 * Blocking reads need a client of their own. Close with `disconnect()`.
 */
export function openRedis(options: { url: string; log: Log; commandTimeoutMs?: number | undefined }): Redis {
  const redis = new Redis(options.url, {
    maxRetriesPerRequest: 1,
    commandTimeout: options.commandTimeoutMs ?? 200,
    connectTimeout: Math.max(300, options.commandTimeoutMs ?? 0),
    autoResendUnfulfilledCommands: false,
    // Commands of the same turn of the event loop share one write; under load that is most of their cost.
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(25 * 2 ** Math.min(attempt, 6), 1_000),
  })
  let reachable = true
  redis.on('ready', () => {
    redis.options.enableOfflineQueue = false
    if (!reachable) options.log.info('redis is back')
    reachable = true
  })
  // Without a listener the error would end the process; one line per outage is enough.
  redis.on('error', (err) => {
    redis.options.enableOfflineQueue = false
    if (reachable) options.log.warn({ err }, 'redis is away')
    reachable = false
  })
  return redis
}

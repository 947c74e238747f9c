import type { Socket } from 'node:net'
import { Redis } from 'ioredis'
import type { Log } from './log.ts'

export type { Redis }

/**
 * A client for caches, limits and sessions that never keeps a request waiting: a command fails at once while the server
 * is away, and after `commandTimeoutMs` when it hangs. A server that goes on hanging is given up like one that is away, so
 * that it costs one wait and not one per command. Only commands given before the first connection are queued.
 * Blocking reads need a client of their own. Close with `disconnect()`.
 */
export function openRedis(options: { url: string; log: Log; commandTimeoutMs?: number | undefined }): Redis {
  const commandTimeout = options.commandTimeoutMs ?? 200
  const redis = new Redis(options.url, {
    maxRetriesPerRequest: 1,
    commandTimeout,
    connectTimeout: Math.max(300, commandTimeout),
    autoResendUnfulfilledCommands: false,
    // Commands of the same turn of the event loop share one write; under load that is most of their cost.
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(25 * 2 ** Math.min(attempt, 6), 1_000),
  })
  giveUpWhenSilent(redis, commandTimeout)
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

/**
 * Breaks a connection on which commands wait while nothing arrives. Looked at twice, a turn of the event loop apart: after a
 * pause of our own the answer may lie unread. Looks only while commands wait, so that a service at rest is not woken.
 */
function giveUpWhenSilent(redis: Redis, everyMs: number): void {
  let timer: NodeJS.Timeout | undefined
  let received = -1
  let silences = 0
  const stop = () => {
    clearInterval(timer)
    timer = undefined
  }
  const inside = redis as unknown as { stream?: Socket; commandQueue: { length: number } }
  const look = () => {
    const { stream, commandQueue } = inside
    if (commandQueue.length === 0) return stop()
    const isSilent = redis.status === 'ready' && stream?.bytesRead === received
    silences = isSilent ? silences + 1 : 0
    received = stream?.bytesRead ?? -1
    if (silences === 2) stream?.destroy(new Error('no answer for a while'))
  }
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (...args) => {
    if (!timer) {
      received = inside.stream?.bytesRead ?? -1
      silences = 0
      timer = setInterval(look, everyMs).unref()
    }
    return send(...args)
  }
  redis.on('end', stop)
}

import { Connection } from 'rabbitmq-client'
import type { Log } from '../log.ts'

/** A broker connection that reconnects by itself and never lets an error go unheard. */
export function connectBroker(options: { url: string; name: string; log: Log }): Connection {
  const connection = new Connection({
    url: options.url,
    connectionName: options.name,
    noDelay: true,
    heartbeat: 15,
    acquireTimeout: 5_000,
    retryLow: 200,
    retryHigh: 3_000,
    // Small frames would cut a full-size event into over a hundred pieces.
    frameMax: 131_072,
  })
  const log = options.log.child({ connection: options.name })
  connection.on('error', (err) => log.warn({ err }, 'broker connection lost'))
  connection.on('connection.blocked', (reason) => log.warn({ reason }, 'broker refuses publishing'))
  connection.on('connection.unblocked', () => log.info('broker accepts publishing again'))
  return connection
}

/** Closes a connection whose channels are closed; a broker that does not answer is left after three seconds. */
export async function disconnectBroker(connection: Connection): Promise<void> {
  if (!connection.ready) return connection.unsafeDestroy()
  await within(3_000, connection.close()).catch(() => connection.unsafeDestroy())
}

/** The promise's result, or an error after `ms` milliseconds; the work itself is not stopped. */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  tooLate = () => new Error(`no answer within ${ms} ms`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), ms)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}

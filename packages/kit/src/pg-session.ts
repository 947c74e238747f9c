import pg from 'pg'
import type { Log } from './log.ts'

/** One connection outside the pool, for what belongs to a session: advisory locks. */
export type PgSession = {
  /** The connection while there is one. */
  readonly client: pg.Client | undefined
  /** Runs when the connection is lost, and with it all its locks. */
  onLost(listener: () => void): void
  close(): Promise<void>
}

const RETRY_MS = [100, 500, 1_000, 2_000, 5_000]

/** Opens a session that reconnects for ever; it never throws and never stops the process. */
export function openPgSession(options: { url: string; name: string; log: Log }): PgSession {
  const lost: (() => void)[] = []
  let current: pg.Client | undefined
  let closed = false
  let attempts = 0
  let timer: NodeJS.Timeout | undefined

  const retry = () => {
    if (!closed) timer = setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)])
  }
  const connect = async () => {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: options.name,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    })
    client.on('error', (err) => {
      if (!closed && client === current) options.log.warn({ err }, 'postgres session lost')
    })
    client.on('end', () => {
      if (client !== current) return
      current = undefined
      for (const listener of lost) listener()
      retry()
    })
    try {
      await client.connect()
      if (closed) return await client.end()
      attempts = 0
      current = client
    } catch (err) {
      if (attempts === 0) options.log.warn({ err }, 'postgres session cannot connect')
      retry()
    }
  }
  const first = connect()

  return {
    get client() {
      return current
    },
    onLost: (listener) => void lost.push(listener),
    async close() {
      closed = true
      clearTimeout(timer)
      await first
      await current?.end().catch(() => undefined)
    },
  }
}

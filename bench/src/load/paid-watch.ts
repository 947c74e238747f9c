import pg from 'pg'

/** Often enough for purchases that take seconds, and rarely enough to be no load. */
const EVERY_MS = 50
const GIVE_UP_MS = 30_000

/** Tells when orders are paid, by one small query for all that wait: asking the shop would be load of another kind. */
export async function openPaidWatch(postgresUrl: string) {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  const waiting = new Map<string, { resolve(): void; reject(error: Error): void; since: number }>()
  let asking = false
  const ask = async (): Promise<void> => {
    if (asking || waiting.size === 0) return
    asking = true
    try {
      const { rows } = await client.query<{ id: string }>({
        name: 'paid',
        text: 'select id from orders where id = any($1::uuid[]) and paid_at is not null',
        values: [[...waiting.keys()]],
      })
      for (const { id } of rows) {
        waiting.get(id)?.resolve()
        waiting.delete(id)
      }
      for (const [id, { since, reject }] of waiting)
        if (performance.now() - since > GIVE_UP_MS) {
          reject(new Error(`not paid after ${GIVE_UP_MS / 1000} s`))
          waiting.delete(id)
        }
    } finally {
      asking = false
    }
  }
  const timer = setInterval(ask, EVERY_MS)
  return {
    wait: (orderId: string) =>
      new Promise<void>((resolve, reject) => void waiting.set(orderId, { resolve, reject, since: performance.now() })),
    async close() {
      clearInterval(timer)
      await client.end()
    },
  }
}

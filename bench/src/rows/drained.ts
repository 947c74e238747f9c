import { setTimeout as pause } from 'node:timers/promises'
import { roster } from '@haat/devnet/roster'
import pg from 'pg'
import { databaseUrl } from '../seed/database.ts'

const EVERY_MS = 100
const GIVE_UP_SECONDS = 120

/**
 * Waits until everything that paid orders set in motion has happened: stock taken, earnings booked, customers and vendors
 * written to, no event left in an outbox. Answers the seconds it took.
 */
export async function drained(postgresUrl: string, orderIds: readonly string[]): Promise<number> {
  const began = performance.now()
  const open = async (name: string) => {
    const client = new pg.Client({ connectionString: databaseUrl(postgresUrl, `haat_${name}`) })
    await client.connect()
    return [name, client] as const
  }
  const names = roster.filter(({ stores }) => stores.includes('postgres')).map(({ name }) => name)
  const clients = new Map(await Promise.all(names.map(open)))
  const count = async (name: string, query: string, values: unknown[] = []): Promise<number> =>
    Number((await clients.get(name)!.query<{ n: string }>(query, values)).rows[0]!.n)
  try {
    const { rows } = await clients
      .get('order')!
      .query<{ order_no: string }>('select order_no from orders where id = any($1::uuid[])', [orderIds])
    const orderNos = rows.map(({ order_no }) => order_no)
    const waitingRows: [name: string, table: string, condition: string][] = [
      ...names.map((name): [string, string, string] => [name, 'outbox', 'true']),
      ['notification', 'notices', `status = 'queued'`],
      ['notification', 'messages', `status = 'queued'`],
    ]
    const missing = async (): Promise<string[]> => {
      const found = {
        'orders whose stock is taken': await count(
          'inventory',
          `select count(distinct order_id) as n from reservations where order_id = any($1::uuid[]) and state = 'committed'`,
          [orderIds],
        ),
        'orders whose earnings are booked': await count(
          'vendor',
          `select count(distinct order_id) as n from vendor_earnings where order_id = any($1::uuid[]) and type = 'sale'`,
          [orderIds],
        ),
        'orders whose customer was written to': await count(
          'notification',
          `select count(distinct payload_json->>'orderNo') as n from messages
             where template_key = 'order_paid' and status = 'sent' and payload_json->>'orderNo' = any($1)`,
          [orderNos],
        ),
      }
      const lacking = Object.entries(found).flatMap(([what, n]) =>
        n < orderIds.length ? [`${n} of ${orderIds.length} ${what}`] : [],
      )
      for (const [name, table, condition] of waitingRows) {
        const n = await count(name, `select count(*) as n from ${table} where ${condition}`)
        if (n) lacking.push(`${n} rows in ${name}'s ${table}`)
      }
      return lacking
    }
    for (;;) {
      const lacking = await missing()
      const seconds = (performance.now() - began) / 1000
      if (lacking.length === 0) return seconds
      if (seconds > GIVE_UP_SECONDS) throw new Error(`not drained after ${GIVE_UP_SECONDS} s: ${lacking.join(', ')}`)
      await pause(EVERY_MS)
    }
  } finally {
    for (const client of clients.values()) await client.end()
  }
}

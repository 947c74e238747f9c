import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

export type BookDifference = { kind: 'sale' | 'payout' | 'movement'; id: string; expected: bigint; actual: bigint }

const LIMIT = 100

/**
 * Where the books contradict each other: a sale whose rows do not sum to what the order froze, a payout whose earnings do
 * not sum to its amount, or one whose money movement is not its amount.
 */
export async function findDifferences(db: Kysely<Database>): Promise<BookDifference[]> {
  const { rows } = await sql<BookDifference>`
    select 'sale' as kind, v.vendor_order_id as id, v.net as expected, coalesce(sum(e.net), 0) as actual
      from vendor_order_sales v
      left join vendor_earnings e on e.vendor_order_id = v.vendor_order_id and e.type = 'sale'
     where v.net is not null
     group by v.vendor_order_id, v.net
    having v.net <> coalesce(sum(e.net), 0)
    union all
    select 'payout', p.id, p.amount, coalesce(sum(e.net), 0)
      from vendor_payouts p
      left join vendor_payout_earnings pe on pe.payout_id = p.id
      left join vendor_earnings e on e.id = pe.earning_id
     group by p.id, p.amount
    having p.amount <> coalesce(sum(e.net), 0)
    union all
    select 'movement', p.id, case when p.status = 'paid' then -p.amount else 0 end, coalesce(sum(e.net), 0)
      from vendor_payouts p
      left join vendor_earnings e on e.reference = p.id and e.payout_id = p.id
     group by p.id, p.amount, p.status
    having case when p.status = 'paid' then -p.amount else 0 end <> coalesce(sum(e.net), 0)
    limit ${LIMIT}`.execute(db)
  return rows
}

import type { Call } from '@haat/kit/call'
import { newId } from '@haat/kit/id'
import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { TimelineEntry } from '@haat/proto/order/v1/order'
import type { Kysely } from 'kysely'
import type { Reader } from './messages.ts'
import type { Order } from './sales.ts'
import type { Database, TimelineRow } from './schema.ts'

export type TimelineEvent =
  | 'placed'
  | 'paid'
  | 'payment_failed'
  | 'accepted'
  | 'shipped'
  | 'delivered'
  | 'cancelled'
  | 'refunded'

export async function addTimeline(
  tx: Transaction<Database>,
  entry: {
    orderId: string
    event: TimelineEvent
    at: Date
    vendorOrderId?: string
    note?: string | undefined
    byUserId?: string | null
  },
): Promise<void> {
  await tx
    .insertInto('order_timeline')
    .values({
      id: newId(),
      order_id: entry.orderId,
      vendor_order_id: entry.vendorOrderId ?? null,
      event: entry.event,
      note: entry.note ?? '',
      at: entry.at,
      by_user_id: entry.byUserId ?? null,
    })
    .execute()
}

/** An order's entries, oldest first; with `vendorOrderId` those of that part and of the whole order. */
export async function listTimeline(
  db: Kysely<Database>,
  orderId: string,
  vendorOrderId?: string,
): Promise<Selectable<TimelineRow>[]> {
  let query = db.selectFrom('order_timeline').selectAll().where('order_id', '=', orderId).orderBy('seq')
  if (vendorOrderId)
    query = query.where((w) => w.or([w('vendor_order_id', 'is', null), w('vendor_order_id', '=', vendorOrderId)]))
  return query.execute()
}

/** The whole timeline as its reader sees it. */
export async function timelineFor(db: Kysely<Database>, order: Order, reader: Reader): Promise<TimelineEntry[]> {
  const entries = (await listTimeline(db, order.id)).map(toTimelineEntry)
  // Who of the vendor's or the platform's people did it is not the customer's business.
  if (reader === 'customer') for (const entry of entries) if (entry.byUserId !== order.user_id) entry.byUserId = ''
  return entries
}

export const toTimelineEntry = (row: Selectable<TimelineRow>): TimelineEntry => ({
  id: row.id,
  orderId: row.order_id,
  vendorOrderId: row.vendor_order_id ?? '',
  event: row.event,
  note: row.note,
  at: row.at,
  byUserId: row.by_user_id ?? '',
})

/** The person behind a call, for the record; null when the system acts. */
export const personOf = (call: Call): string | null => (call.caller.kind === 'user' ? call.caller.id : null)

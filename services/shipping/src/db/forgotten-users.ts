import type { Transaction } from '@haat/kit/postgres'
import { sql } from 'kysely'
import type { Database } from './schema.ts'

// Storing an address and forgetting its owner wait for each other, so that neither misses what the other is about to write.
const lockUser = (tx: Transaction<Database>, userId: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended('forget:' || ${userId}, 0))`.execute(tx)

export async function isForgotten(tx: Transaction<Database>, userId: string): Promise<boolean> {
  await lockUser(tx, userId)
  const found = await tx
    .selectFrom('forgotten_users')
    .select('user_id')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return found !== undefined
}

export async function forgetUser(tx: Transaction<Database>, userId: string, at: Date): Promise<void> {
  await lockUser(tx, userId)
  await tx
    .insertInto('forgotten_users')
    .values({ user_id: userId, forgotten_at: at })
    .onConflict((c) => c.doNothing())
    .execute()
  // The vendor orders first, as CreateLabel locks them: a label under way waits, or is recorded and blanked below.
  const orders = await tx
    .updateTable('vendor_orders')
    .set({ ship_to: null, updated_at: at })
    .where('user_id', '=', userId)
    .returning('vendor_order_id')
    .execute()
  if (orders.length === 0) return
  await tx
    .updateTable('shipments')
    .set({ ship_to: null, updated_at: at })
    .where(
      'vendor_order_id',
      'in',
      orders.map((row) => row.vendor_order_id),
    )
    .execute()
}

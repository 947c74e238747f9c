import type { Selectable, Transaction } from '@haat/kit/postgres'
import type { Kysely } from 'kysely'
import { type CheckoutMove, checkoutStatesFor, checkoutTargets } from '../domain/checkout-state.ts'
import type { CheckoutRow, Database } from './schema.ts'

export type Checkout = Selectable<CheckoutRow>

export async function getCheckout(db: Kysely<Database>, orderId: string): Promise<Checkout> {
  return db.selectFrom('checkouts').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow()
}

/** The checkout a person started with this key, unless it was undone: that one is as if it had never been. */
export const findCheckoutByKey = (db: Kysely<Database>, userId: string, key: string): Promise<Checkout | undefined> =>
  db
    .selectFrom('checkouts')
    .selectAll()
    .where('user_id', '=', userId)
    .where('idempotency_key', '=', key)
    .where('state', 'not in', ['releasing', 'failed'])
    .executeTakeFirst()

/** Makes a move if it is legal now, and answers the checkout after it; undefined when somebody was faster. */
export async function moveCheckoutRow(
  db: Kysely<Database> | Transaction<Database>,
  orderId: string,
  move: CheckoutMove,
  set: Partial<
    Pick<Checkout, 'step' | 'recover_at' | 'last_error' | 'cancel_reason' | 'cancel_note' | 'cancel_by'>
  > = {},
): Promise<Checkout | undefined> {
  return db
    .updateTable('checkouts')
    .set({ ...set, state: checkoutTargets[move], updated_at: new Date() })
    .where('order_id', '=', orderId)
    .where('state', 'in', checkoutStatesFor(move))
    .returningAll()
    .executeTakeFirst()
}

/** Keeps the recovery job away from an open checkout for a while. */
export async function keepOpen(db: Kysely<Database>, orderId: string, recoverAt: Date): Promise<void> {
  await db
    .updateTable('checkouts')
    .set({ recover_at: recoverAt, updated_at: new Date() })
    .where('order_id', '=', orderId)
    .where('state', '=', 'open')
    .execute()
}

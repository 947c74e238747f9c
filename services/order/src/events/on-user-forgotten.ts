import { forgetInEvents } from '@haat/kit/events/archive'
import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { Address } from '@haat/proto/common/v1/common'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { OrderContext } from '../context.ts'
import type { Database } from '../db/schema.ts'

/** Blanks e-mail, addresses and notes of a person. What was sold, and for how much, stays; so does the country. */
export async function onUserForgotten(
  _ctx: OrderContext,
  event: Event<UserForgotten>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId } = event.data
  const blank = ({ country }: Address): string =>
    JSON.stringify({ name: '', line1: '', line2: '', city: '', state: '', postalCode: '', country, phone: '' })
  const orders = await tx.selectFrom('orders').select('id').where('user_id', '=', userId).forUpdate().execute()
  await tx.updateTable('orders').set({ email: '' }).where('user_id', '=', userId).execute()
  for (const { id } of orders) {
    const address = tx.selectFrom('order_addresses').selectAll().where('order_id', '=', id)
    const { shipping_json, billing_json } = await address.executeTakeFirstOrThrow()
    await tx
      .updateTable('order_addresses')
      .set({ shipping_json: blank(shipping_json), billing_json: blank(billing_json) })
      .where('order_id', '=', id)
      .execute()
  }
  await tx.updateTable('checkouts').set({ cancel_note: '' }).where('cancel_by', '=', userId).execute()
  await tx
    .updateTable('order_timeline')
    .set({ note: '' })
    .where('by_user_id', '=', userId)
    .where('note', '<>', '')
    .execute()
  await forgetInEvents(tx, userId)
}

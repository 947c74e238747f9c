import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { ShippingContext } from '../context.ts'
import { forgetUser } from '../db/forgotten-users.ts'
import type { Database } from '../db/schema.ts'

/** Blanks the person's addresses, those of events that are still on their way included. */
export async function onUserForgotten(
  ctx: ShippingContext,
  event: Event<UserForgotten>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId, forgottenAt } = event.data
  await forgetUser(tx, userId, forgottenAt ?? ctx.now())
}

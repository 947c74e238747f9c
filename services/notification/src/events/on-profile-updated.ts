import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { ProfileUpdated } from '@haat/proto/profile/v1/events'
import type { NotificationContext } from '../context.ts'
import type { Database } from '../db/schema.ts'
import { toLocale } from '../domain/locale.ts'

/** Follows the profile; of two updates the one with the higher sequence counts, in whatever order they come. */
export async function onProfileUpdated(
  _ctx: NotificationContext,
  event: Event<ProfileUpdated>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId, name, phone, locale, marketingOptIn } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  await tx
    .insertInto('people')
    .values({ user_id: userId })
    .onConflict((c) => c.doNothing())
    .execute()
  const before = await tx
    .selectFrom('people')
    .selectAll()
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (before.forgotten_at || before.profile_sequence >= sequence) return
  await tx
    .updateTable('people')
    .set({ name, phone, locale: toLocale(locale), marketing_opt_in: marketingOptIn, profile_sequence: sequence })
    .where('user_id', '=', userId)
    .execute()
  // What was said last counts: a switch that was turned in the profile ends older choices about marketing.
  if (before.marketing_opt_in !== marketingOptIn)
    await tx.deleteFrom('preferences').where('user_id', '=', userId).where('topic', '=', 'marketing').execute()
}

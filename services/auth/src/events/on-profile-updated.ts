import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { ProfileUpdated } from '@haat/proto/profile/v1/events'
import type { AuthContext } from '../context.ts'
import type { Database } from '../db/schema.ts'

/** Takes over name and language, unless a later change came first. */
export async function onProfileUpdated(
  ctx: AuthContext,
  event: Event<ProfileUpdated>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId, name, locale } = event.data
  const sequence = BigInt(event.envelope.aggregate.sequence)
  await tx
    .updateTable('users')
    .set({
      profile_sequence: sequence,
      updated_at: ctx.now(),
      ...(name ? { name } : {}),
      ...(locale ? { locale } : {}),
    })
    .where('id', '=', userId)
    .where('profile_sequence', '<', sequence)
    .where('forgotten_at', 'is', null)
    .execute()
}

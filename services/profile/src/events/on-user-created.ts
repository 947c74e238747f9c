import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { UserCreated } from '@haat/proto/auth/v1/events'
import type { ProfileContext } from '../context.ts'
import { lockAnyProfile } from '../db/profiles.ts'
import type { Database } from '../db/schema.ts'
import { isPhone } from '../domain/phone.ts'

/** Fills the profile with what was said at registration; what the person has told since is newer, and stays. */
export async function onUserCreated(
  ctx: ProfileContext,
  event: Event<UserCreated>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId, name, phone, locale, createdAt } = event.data
  const profile = await lockAnyProfile(tx, userId)
  if (profile.forgotten_at) return
  await tx
    .updateTable('profiles')
    .set({
      name: profile.name ?? name,
      phone: profile.phone ?? (phone && isPhone(phone) ? phone : null),
      locale: profile.locale ?? locale,
      created_at: createdAt ?? profile.created_at,
      updated_at: ctx.now(),
    })
    .where('user_id', '=', userId)
    .execute()
}

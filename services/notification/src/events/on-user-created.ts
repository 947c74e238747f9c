import type { Event } from '@haat/kit/events/envelope'
import type { Transaction } from '@haat/kit/postgres'
import type { UserCreated } from '@haat/proto/auth/v1/events'
import type { NotificationContext } from '../context.ts'
import { rememberPeople } from '../db/people.ts'
import type { Database } from '../db/schema.ts'
import { toLocale } from '../domain/locale.ts'

/** Keeps the address; name, phone and language only until the profile tells them. */
export async function onUserCreated(
  _ctx: NotificationContext,
  event: Event<UserCreated>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId, email, name, phone, locale } = event.data
  await rememberPeople(tx, [{ userId, email, name, phone: phone ?? '', locale: toLocale(locale) }])
}

import type { Event } from '@haat/kit/events/envelope'
import { sql, type Transaction } from '@haat/kit/postgres'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { NotificationContext } from '../context.ts'
import type { Database } from '../db/schema.ts'

/** Blanks everything that tells of the person; what waits for them is not sent, and nothing is from now on. */
export async function onUserForgotten(
  ctx: NotificationContext,
  event: Event<UserForgotten>,
  tx: Transaction<Database>,
): Promise<void> {
  const { userId } = event.data
  const before = await tx.selectFrom('people').select('email').where('user_id', '=', userId).executeTakeFirst()
  const blank = { email: '', name: '', phone: '', marketing_opt_in: false, forgotten_at: ctx.now() }
  await tx
    .insertInto('people')
    .values({ user_id: userId, ...blank })
    .onConflict((c) => c.column('user_id').doUpdateSet(blank))
    .execute()
  await tx.deleteFrom('preferences').where('user_id', '=', userId).execute()
  await tx.deleteFrom('push_subscriptions').where('user_id', '=', userId).execute()
  const email = before?.email
  await tx
    .updateTable('messages')
    .set({
      to: '',
      payload_json: '{}',
      subject: '',
      body_html: '',
      body_text: '',
      link: '',
      status: sql`case status when 'queued' then 'suppressed' else status end`,
      next_attempt_at: null,
    })
    .where((eb) =>
      eb.or([
        eb('user_id', '=', userId),
        ...(email ? [eb.and([eb(eb.fn('lower', ['to']), '=', email.toLowerCase()), eb('user_id', 'is', null)])] : []),
      ]),
    )
    .execute()
}

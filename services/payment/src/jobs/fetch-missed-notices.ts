import { job } from '@haat/kit/jobs'
import type { PaymentContext } from '../context.ts'
import { storeNotice } from '../steps/store-notice.ts'

/** Read again each time: what happened at the same moment need not be listed in order. */
const OVERLAP_SECONDS = 600
const FIRST_LOOK_BACK_SECONDS = 24 * 3_600

/**
 * Reads the provider's own list of what it has told, and takes what never arrived: also what no payment waits for, such as a
 * refund that failed days later, a chargeback or a transfer that came back. The cursor is a moment of the provider's clock.
 */
export const fetchMissedNotices = job<PaymentContext>('fetch-missed-notices', {
  everySeconds: 120,
  leader: true,
  async run(ctx, call) {
    const provider = ctx.provider.name
    const cursor = await ctx.db
      .selectFrom('provider_cursors')
      .select('read_to')
      .where('provider', '=', provider)
      .executeTakeFirst()
    const since = cursor ? ago(cursor.read_to, OVERLAP_SECONDS) : ago(ctx.now(), FIRST_LOOK_BACK_SECONDS)
    let read_to = cursor?.read_to
    for await (const notice of ctx.provider.listNotices(since)) {
      if (call.signal.aborted) return
      await storeNotice(ctx, notice, call.log)
      if (!read_to || notice.at > read_to) read_to = notice.at
    }
    if (!read_to) return
    await ctx.db
      .insertInto('provider_cursors')
      .values({ provider, read_to })
      .onConflict((c) => c.column('provider').doUpdateSet({ read_to }))
      .execute()
  },
})

const ago = (moment: Date, seconds: number) => new Date(moment.getTime() - seconds * 1000)

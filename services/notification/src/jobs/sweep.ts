import { job } from '@haat/kit/jobs'
import { sql } from 'kysely'
import type { NotificationContext } from '../context.ts'
import type { QueueTable } from './drain.ts'

const DAY_MS = 24 * 3600 * 1000
/** Deliveries are kept for looking into an endpoint's trouble. */
const DELIVERIES_KEPT_DAYS = 30
const NOTICES_KEPT_DAYS = 30
const BATCH = 5_000

/** Blanks secrets that have expired, and deletes what is old. */
export const sweep = job<NotificationContext>('sweep', {
  everySeconds: 3600,
  leader: true,
  async run(ctx, call) {
    const now = ctx.now()
    const ago = (days: number) => new Date(now.getTime() - days * DAY_MS)
    if (!ctx.showsSecrets)
      await ctx.db
        .updateTable('messages')
        .set({ body_html: '', body_text: '', payload_json: '{}' })
        .where('confidential', '=', true)
        .where('expires_at', '<', now)
        .where('status', '<>', 'queued')
        .where(sql<boolean>`payload_json <> '{}'::jsonb`)
        .execute()
    const old = { messages: ctx.retentionDays, webhook_deliveries: DELIVERIES_KEPT_DAYS, notices: NOTICES_KEPT_DAYS }
    for (const [table, days] of Object.entries(old) as [QueueTable, number][])
      while (!call.signal.aborted && (await deleteBatch(ctx, table, ago(days))) === BATCH);
  },
})

async function deleteBatch(ctx: NotificationContext, table: QueueTable, before: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from ${sql.table(table)} where id in (
      select id from ${sql.table(table)} where created_at < ${before} and status <> 'queued' limit ${BATCH}
    )
  `.execute(ctx.db)
  return Number(numAffectedRows)
}

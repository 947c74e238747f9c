import { afterCommit } from '@haat/kit/commits'
import type { Event } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import type { Insertable, Transaction } from '@haat/kit/postgres'
import type { NotificationContext } from '../context.ts'
import { queueForPerson } from '../db/messages.ts'
import type { Database, NoticeRow } from '../db/schema.ts'
import { toPayload } from '../domain/values.ts'
import type { Draft, Notice } from './notices.ts'

const draftsOf = (notice: Notice, { data }: Event<unknown>): Draft[] =>
  (notice.drafts as (data: unknown) => Draft[])(data)

/** Whether there is anything to tell. */
export const isNotice = (notice: Notice) => (_ctx: NotificationContext, event: Event<unknown>) =>
  draftsOf(notice, event).length > 0

/** Queues what an event gives reason to tell. Who a vendor's people are is asked later, outside this transaction. */
export const onNotice =
  (notice: Notice) =>
  async (ctx: NotificationContext, event: Event<unknown>, tx: Transaction<Database>): Promise<void> => {
    const { eventId } = event.envelope
    const forVendors: Insertable<NoticeRow>[] = []
    for (const { template, to, values, expiresAt, once } of draftsOf(notice, event)) {
      if (!('vendorId' in to)) await queueForPerson(ctx, tx, { eventId, template, to, values, expiresAt, once })
      else
        forVendors.push({
          id: newId(ctx.now().getTime()),
          event_id: eventId,
          template_key: template,
          vendor_id: to.vendorId,
          permission: to.permission,
          payload_json: JSON.stringify(toPayload(values)),
          next_attempt_at: ctx.now(),
          created_at: ctx.now(),
        })
    }
    if (forVendors.length === 0) return
    await tx
      .insertInto('notices')
      .values(forVendors)
      .onConflict((c) => c.columns(['event_id', 'template_key', 'vendor_id']).doNothing())
      .execute()
    await afterCommit(tx, () => ctx.runSoon('expand-notices'))
  }

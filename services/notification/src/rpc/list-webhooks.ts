import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import type { ListWebhooksRequest, ListWebhooksResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { toWebhook } from '../db/webhooks.ts'

export async function listWebhooks(
  ctx: NotificationContext,
  request: ListWebhooksRequest,
  call: Call,
): Promise<ListWebhooksResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['vendors.read'])
  const rows = await ctx.db
    .selectFrom('webhooks_out')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .orderBy('id', 'desc')
    .execute()
  return { webhooks: rows.map(toWebhook) }
}

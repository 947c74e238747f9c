import { requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { DeleteWebhookRequest, DeleteWebhookResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'

export async function deleteWebhook(
  ctx: NotificationContext,
  request: DeleteWebhookRequest,
  call: Call,
): Promise<DeleteWebhookResponse> {
  const vendorId = requireVendor(call, request.vendorId, ['vendors.write'])
  const { numDeletedRows } = await ctx.db
    .deleteFrom('webhooks_out')
    .where('id', '=', request.webhookId)
    .where('vendor_id', '=', vendorId)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) throw notFound('webhook_not_found', 'no such webhook')
  return {}
}

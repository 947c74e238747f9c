import type { Call } from '@haat/kit/call'
import type { HandleWebhookRequest, HandleWebhookResponse } from '@haat/proto/payment/v1/payment'
import type { PaymentContext } from '../context.ts'
import { storeNotice } from '../steps/store-notice.ts'

export async function handleWebhook(
  ctx: PaymentContext,
  request: HandleWebhookRequest,
  call: Call,
): Promise<HandleWebhookResponse> {
  const notice = ctx.provider.readNotice(request.payload, request.signature, ctx.now())
  return { duplicate: await storeNotice(ctx, notice, call.log) }
}

import { createHash } from 'node:crypto'
import { type Call, requireUser } from '@haat/kit/call'
import { enumNames } from '@haat/kit/enum'
import { conflict, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { once } from '@haat/kit/idempotency'
import { PlaceOrderRequest, type PlaceOrderResponse } from '@haat/proto/order/v1/order'
import { PaymentProvider, type PaymentSession } from '@haat/proto/payment/v1/payment'
import { isRefusal } from '../checkout/failure.ts'
import { holdAndPlace, openPayment } from '../checkout/hold.ts'
import { prepare } from '../checkout/prepare.ts'
import type { OrderContext } from '../context.ts'
import { findCheckoutByKey, getCheckout } from '../db/checkouts.ts'
import { paymentProvider, toOrders } from '../db/messages.ts'
import { getSale } from '../db/sales.ts'

const provider = enumNames(PaymentProvider)

export async function placeOrder(
  ctx: OrderContext,
  request: PlaceOrderRequest,
  call: Call,
): Promise<PlaceOrderResponse> {
  const userId = requireUser(call)
  if (new Set(request.deliveries.map((choice) => choice.vendorId)).size < request.deliveries.length)
    throw invalid('deliveries_duplicate', 'choose one delivery per vendor')
  const bytes = PlaceOrderRequest.encode(request).finish()
  const requestHash = createHash('sha256').update(bytes).digest('hex')

  let session: PaymentSession | undefined
  const orderId = await once(
    ctx.db,
    { scope: `place_order:${userId}`, key: request.idempotencyKey, request: bytes, response: orderIdCodec },
    async (resourceId) => {
      const id = await findOrDraft(ctx, request, { userId, requestHash, resourceId })
      const { state } = await getCheckout(ctx.db, id)
      if (state === 'open') session = await holdAndPlace(ctx, id)
      return id
    },
  )
  const { order } = await getSale(ctx.db, orderId)
  const isPayable = order.payment_status === 'pending' && order.status !== 'cancelled'
  session = isPayable ? (session ?? (await askSession(ctx, orderId))) : undefined
  const [answer] = await toOrders(ctx.db, [order], 'customer')
  return {
    order: answer,
    ...(session
      ? { paymentSession: { ...session, provider: paymentProvider.fromName(provider.toName(session.provider)) } }
      : {}),
  }
}

/** The order of this key: the one a broken-off attempt has left, or a new draft under the key's id. */
async function findOrDraft(
  ctx: OrderContext,
  request: PlaceOrderRequest,
  { userId, requestHash, resourceId }: { userId: string; requestHash: string; resourceId: string },
): Promise<string> {
  const known = await findCheckoutByKey(ctx.db, userId, request.idempotencyKey)
  if (known) {
    if (known.request_hash !== requestHash)
      throw conflict('idempotency_key_reused', 'this idempotency key was used with another request')
    return known.order_id
  }
  // An attempt that was undone has used the key's id up: its payment is closed for good.
  const used = await ctx.db.selectFrom('orders').select('id').where('id', '=', resourceId).executeTakeFirst()
  const orderId = used ? newId() : resourceId
  const isWritten = await prepare(ctx, request, { orderId, userId, requestHash })
  return isWritten ? orderId : findOrDraft(ctx, request, { userId, requestHash, resourceId })
}

/** The open session of an order that was placed before; undefined when it can no longer be paid. */
async function askSession(ctx: OrderContext, orderId: string): Promise<PaymentSession | undefined> {
  try {
    return (await openPayment(ctx, await getSale(ctx.db, orderId), await getCheckout(ctx.db, orderId))).session
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

// Only the id is kept: the answer has a secret, and is made anew from what the order is when a repeat comes.
const orderIdCodec = {
  encode: (orderId: string) => ({ finish: () => Buffer.from(orderId) }),
  decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
}

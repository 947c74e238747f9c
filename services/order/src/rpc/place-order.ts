import { createHash } from 'node:crypto'
import { type Call, requireUser } from '@haat/kit/call'
import { enumNames } from '@haat/kit/enum'
import { conflict, invalid } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { once } from '@haat/kit/idempotency'
import { PlaceOrderRequest, type PlaceOrderResponse } from '@haat/proto/order/v1/order'
import { PaymentProvider, type PaymentSession } from '@haat/proto/payment/v1/payment'
import { isRefusal } from '../checkout/failure.ts'
import { type Draft, holdAndPlace, openPayment, type Placed } from '../checkout/hold.ts'
import { prepare } from '../checkout/prepare.ts'
import type { OrderContext } from '../context.ts'
import { findCheckoutByKey, getCheckout, keepOpen } from '../db/checkouts.ts'
import { paymentProvider, toOrders } from '../db/messages.ts'
import { getSale, type Sale } from '../db/sales.ts'

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

  let placed: Placed | undefined
  const orderId = await once(
    ctx.db,
    { scope: `place_order:${userId}`, key: request.idempotencyKey, request: bytes, response: orderIdCodec },
    async (resourceId) => {
      const draft = await findOrDraft(ctx, request, { userId, requestHash, resourceId })
      if (draft.checkout.state === 'open') placed = await holdAndPlace(ctx, draft)
      return draft.checkout.order_id
    },
  )
  const sale = placed?.sale ?? (await getSale(ctx.db, orderId))
  const { order } = sale
  const isPayable = order.payment_status === 'pending' && order.status !== 'cancelled'
  const session = isPayable ? (placed?.session ?? (await askSession(ctx, sale))) : undefined
  const [answer] = await toOrders(ctx.db, [order], 'customer', [sale])
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
): Promise<Draft> {
  const known = await findCheckoutByKey(ctx.db, userId, request.idempotencyKey)
  if (known) {
    if (known.request_hash !== requestHash)
      throw conflict('idempotency_key_reused', 'this idempotency key was used with another request')
    await keepOpen(ctx.db, known.order_id, new Date(ctx.now().getTime() + ctx.recoverySeconds * 1000))
    return { sale: await getSale(ctx.db, known.order_id), checkout: known }
  }
  const draft = await prepare(ctx, request, { orderId: resourceId, userId, requestHash })
  // An attempt that was undone has used the key's id up: its payment is closed for good.
  return draft ?? findOrDraft(ctx, request, { userId, requestHash, resourceId: newId() })
}

/** The open session of an order that was placed before; undefined when it can no longer be paid. */
async function askSession(ctx: OrderContext, sale: Sale): Promise<PaymentSession | undefined> {
  try {
    return (await openPayment(ctx, sale, await getCheckout(ctx.db, sale.order.id))).session
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

import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from '@haat/kit/call'
import { AppError, failedPrecondition, notFound, unavailable } from '@haat/kit/errors'
import type { CreateLabelRequest, CreateLabelResponse } from '@haat/proto/shipping/v1/shipping'
import { getCarrier } from '../carriers/carriers.ts'
import type { ShippingContext } from '../context.ts'
import { claimLabel, type LabelAttempt, recordLabel, releaseAttempt } from '../db/label-attempts.ts'
import { findShipmentOf, loadShipment } from '../db/shipments.ts'
import { mayTouch } from './scope.ts'

const POLL_MS = 50
const CARRIER_MS = 30_000

/** Claim the parcel, ask the carrier, record the answer: whichever step a crash cuts off, the next attempt goes on from it. */
export async function createLabel(
  ctx: ShippingContext,
  request: CreateLabelRequest,
  call: Call,
): Promise<CreateLabelResponse> {
  const order = await ctx.db
    .selectFrom('vendor_orders')
    .selectAll()
    .where('vendor_order_id', '=', request.vendorOrderId)
    .executeTakeFirst()
  if (!order || !mayTouch(call, order.vendor_id, 'shipping.write', 'shipping.write'))
    throw notFound('vendor_order_not_found', 'no such accepted vendor order')
  const wanted = {
    carrier: getCarrier(ctx.carriers, request.carrier || order.carrier || 'table').name,
    serviceLevel: request.serviceLevel || order.service_level || 'standard',
    weightGrams: request.weightGrams || order.items.reduce((sum, item) => sum + item.weightGrams * item.qty, 0),
  }
  for (;;) {
    const claimed = await claimLabel(ctx, order.vendor_order_id, wanted)
    if (claimed.kind === 'cancelled') throw cancelled()
    if (claimed.kind === 'shipped') return { shipment: await loadShipment(ctx.db, claimed.shipment) }
    if (claimed.kind === 'mine') {
      await buyLabel(ctx, claimed.attempt, call)
      break
    }
    if (call.deadline - Date.now() < 4 * POLL_MS)
      throw unavailable('carrier_unavailable', 'the label is being made; repeat the request')
    await sleep(POLL_MS, undefined, { signal: call.signal })
  }
  const shipment = await findShipmentOf(ctx.db, order.vendor_order_id)
  return { shipment: await loadShipment(ctx.db, shipment!) }
}

const cancelled = () => failedPrecondition('vendor_order_cancelled', 'the vendor order is cancelled')

async function buyLabel(ctx: ShippingContext, attempt: LabelAttempt, call: Call): Promise<void> {
  const { shipTo } = attempt
  if (!shipTo) {
    await releaseAttempt(ctx, attempt, 'resume')
    throw failedPrecondition('carrier_rejected', 'the address is no longer known', { reason: 'address_missing' })
  }
  try {
    const timeLeft = Math.max(1, Math.min(CARRIER_MS, call.deadline - Date.now()))
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeLeft)])
    const carrier = getCarrier(ctx.carriers, attempt.carrier)
    const label = await carrier.createLabel({ ...attempt, reference: attempt.shipmentId, shipTo }, signal)
    if (!(await recordLabel(ctx, attempt, label))) throw cancelled()
  } catch (error) {
    const isFinal = error instanceof AppError && error.code === 'carrier_rejected'
    await releaseAttempt(ctx, attempt, isFinal ? 'forget' : 'resume')
    throw error
  }
}

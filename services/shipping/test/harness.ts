import { newId } from '@haat/kit/id'
import { VendorOrderAccepted, VendorOrderCancelled } from '@haat/proto/order/v1/events'
import { type Shipment, type ShippingServiceClient, ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { startTestService } from '@haat/testkit/service'
import { neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { signTimestamped } from '../src/carriers/signature.ts'
import { loadConfig } from '../src/config.ts'
import type { ShippingContext } from '../src/context.ts'
import { startShipping } from '../src/service.ts'

export const SECRETS = ['first-secret-of-table', 'second-secret-of-table']

export const shipTo = {
  name: 'Rahima Khatun',
  line1: 'House 7, Road 3',
  line2: '',
  city: 'Dhaka',
  state: 'Dhaka',
  postalCode: '1207',
  country: 'BD',
  phone: '+8801700000000',
}

type Options = { overrides?: Partial<ShippingContext>; env?: Record<string, string>; keys?: Record<string, unknown> }

/** Shipping on its own database, with clients for the identities the tests need and a clock that can be set. */
export async function startHarness(options: Options = {}) {
  const clock = { ahead: 0 }
  const now = () => new Date(Date.now() + clock.ahead)
  const service = await startTestService({
    name: 'shipping',
    load: loadConfig,
    start: startShipping,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: { now, ...options.overrides },
    env: { CARRIER_KEYS_JSON: JSON.stringify({ table: { webhookSecrets: SECRETS }, ...options.keys }), ...options.env },
  })
  const seller = await vendorMember()
  const as = (who?: Parameters<typeof service.as>[1]) =>
    service.as<ShippingServiceClient>(ShippingServiceDefinition, who)
  const vendor = as(seller)
  const anyone = as()

  /** Lets order tell that the vendor took an order. */
  async function accepted(more: Partial<VendorOrderAccepted> = {}) {
    const data = VendorOrderAccepted.fromPartial({
      vendorOrderId: newId(),
      vendorId: seller.vendorId,
      orderId: newId(),
      orderNo: 'HAAT-1001',
      userId: newId(),
      email: 'r@example.com',
      items: [
        { orderItemId: newId(), productId: newId(), sku: 'TEA-1', title: 'Tea', qty: 2, weightGrams: 300 },
        { orderItemId: newId(), productId: newId(), sku: 'CUP-1', title: 'Cup', qty: 1, weightGrams: 250 },
      ],
      shipTo,
      optionId: 'table:x',
      carrier: 'table',
      serviceLevel: 'express',
      acceptedAt: now(),
      ...more,
    })
    const envelope = await service.publish(VendorOrderAccepted, data)
    return { ...data, envelope }
  }
  const cancelled = (order: VendorOrderAccepted) =>
    service.publish(
      VendorOrderCancelled,
      VendorOrderCancelled.fromPartial({
        vendorOrderId: order.vendorOrderId,
        vendorId: order.vendorId,
        orderId: order.orderId,
        orderNo: order.orderNo,
        userId: order.userId,
        reason: 1,
        cancelledAt: now(),
      }),
    )

  return {
    service,
    clock,
    now,
    seller,
    as,
    vendor,
    anyone,
    staff: as(await staff('shipping.read', 'shipping.write')),
    order: as(await neighbour('order')),
    accepted,
    cancelled,
    /** A parcel with its label. */
    async labelled(more: Partial<VendorOrderAccepted> = {}): Promise<Shipment> {
      const { vendorOrderId } = await accepted(more)
      return (await vendor.createLabel({ vendorOrderId })).shipment!
    },
    /** A courier of the built-in carrier reports a scan. */
    scan(trackingNo: string, scan: { id?: string; status: string; occurredAt: Date; [key: string]: unknown }) {
      const payload = Buffer.from(JSON.stringify({ id: newId(), trackingNo, ...scan }))
      return anyone.recordCarrierEvent({
        carrier: 'table',
        payload,
        signature: signTimestamped(payload, SECRETS[0]!, now()),
      })
    },
    async track(trackingNo: string) {
      return anyone.track({ trackingNo })
    },
  }
}

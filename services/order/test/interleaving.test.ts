import { InventoryReleased } from '@haat/proto/inventory/v1/events'
import { ReleaseReason } from '@haat/proto/inventory/v1/inventory'
import { OrderCancelled, OrderPaid, OrderRefunded } from '@haat/proto/order/v1/events'
import { CancelReason, OrderStatus, PaymentStatus } from '@haat/proto/order/v1/order'
import { PaymentFailed, PaymentSucceeded } from '@haat/proto/payment/v1/events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startHarness } from './harness.ts'

const h = await startHarness()
const TTL_MS = 16 * 60_000

const things = ['pay', 'told', 'declined', 'expired', 'cancel', 'recover', 'silence', 'sold out'] as const

test('pay, decline, expire, cancel, in any order, doubled, with neighbours that fall silent: the end is always clean', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...things), { minLength: 1, maxLength: 7 }), async (story) => {
      h.clock.aheadMs = 0
      h.world.mend()
      const { client, order } = await h.placed()
      const { id, orderNo } = order
      const request = { orderNo, reason: CancelReason.CUSTOMER_REQUEST }
      const pays = () => h.world.payments.get(id)!.status === 'open' && h.world.pay(id)
      for (const thing of story) {
        if (thing === 'pay') pays()
        if (thing === 'told' && h.world.payments.get(id)!.status === 'paid')
          await h.publish(PaymentSucceeded, h.paidEvent(order))
        if (thing === 'declined') await h.publish(PaymentFailed, h.failedEvent(order, 'card_declined', false))
        if (thing === 'expired' && h.world.reservations.get(id)!.state === 'held') {
          h.world.reservations.get(id)!.state = 'expired'
          await h.publish(InventoryReleased, { orderId: id, lines: [], reason: ReleaseReason.EXPIRED })
        }
        if (thing === 'cancel') await client.cancelOrder(request).catch(() => undefined)
        if (thing === 'recover') await h.recover()
        if (thing === 'silence') for (const call of ['voidIntent', 'commit', 'refund']) h.world.cut(call, 'after')
        if (thing === 'sold out')
          for (const part of order.vendorOrders) for (const { sku } of part.items) h.world.soldOut.add(sku)
      }
      // Everybody answers again, and time passes.
      h.world.mend()
      for (const _ of [1, 2, 3]) {
        h.clock.aheadMs += TTL_MS
        await h.recover()
      }
      await h.deliver()

      const { order: end } = await client.getOrder({ orderNo })
      const charged = h.world.payments.get(id)!.status === 'paid'
      const given = h.world.refundsOf(id).reduce((sum, refund) => sum + refund.amount!.minor, 0n)
      const [paid, refunded, cancelled] = [
        await h.told(OrderPaid, id),
        await h.told(OrderRefunded, id),
        await h.told(OrderCancelled, id),
      ]
      expect(paid.length).toBeLessThanOrEqual(1)
      // Vendors are told of a refund exactly when they were told of the sale.
      if (end!.status === OrderStatus.CANCELLED) {
        expect(cancelled).toHaveLength(1)
        expect(given).toBe(charged ? end!.amounts!.total!.minor : 0n)
        expect(end!.paymentStatus).toBe(charged ? PaymentStatus.REFUNDED : PaymentStatus.FAILED)
        expect(refunded).toHaveLength(paid.length)
      } else {
        expect(charged).toBe(true)
        expect(end!.paymentStatus).toBe(PaymentStatus.PAID)
        expect([paid.length, refunded.length, cancelled.length, given]).toEqual([1, 0, 0, 0n])
        expect(h.world.reservations.get(id)!.state).toBe('committed')
      }
    }),
    { numRuns: 12 },
  )
}, 120_000)

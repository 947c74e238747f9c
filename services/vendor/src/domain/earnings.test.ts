import { newId } from '@haat/kit/id'
import { money } from '@haat/money/money'
import { RefundedLine, RefundedVendorOrder, SoldLine, SoldVendorOrder } from '@haat/proto/order/v1/events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refundEntries, saleEntries } from './earnings.ts'

const bdt = (minor: bigint) => money('BDT', minor)
const cents = (max: bigint) => fc.bigInt(0n, max)

const anyLine = fc
  .record({ total: cents(1_000_000n), funded: cents(10_000n), tax: cents(1_000n), commission: cents(10_000n) })
  .map(({ total, funded, tax, commission }) =>
    SoldLine.fromPartial({
      orderItemId: newId(),
      sku: 'SKU',
      title: 'Thing',
      qty: 2,
      total: bdt(total),
      platformFundedDiscount: bdt(funded),
      tax: bdt(tax),
      commission: bdt(commission),
      commissionRuleId: newId(),
      commissionRuleVersion: 3n,
      vendorNet: bdt(total + funded - tax - commission),
    }),
  )
const anySold = fc
  .record({
    lines: fc.array(anyLine, { minLength: 1, maxLength: 6 }),
    delivery: fc.option(fc.record({ total: cents(10_000n), funded: cents(1_000n), tax: cents(500n) }), {
      nil: undefined,
    }),
  })
  .map(({ lines, delivery }) => {
    const net = lines.reduce((sum, line) => sum + line.vendorNet!.minor, 0n)
    return SoldVendorOrder.fromPartial({
      vendorOrderId: newId(),
      vendorId: newId(),
      lines,
      ...(delivery && {
        delivery: {
          total: bdt(delivery.total),
          platformFundedDiscount: bdt(delivery.funded),
          tax: bdt(delivery.tax),
        },
      }),
      commission: bdt(lines.reduce((sum, line) => sum + line.commission!.minor, 0n)),
      vendorNet: bdt(net + (delivery ? delivery.total + delivery.funded - delivery.tax : 0n)),
    })
  })

/** The refund of a whole vendor order, as order publishes it. */
function wholeRefund(sold: SoldVendorOrder): RefundedVendorOrder {
  const lines = sold.lines.map((line) =>
    RefundedLine.fromPartial({
      orderItemId: line.orderItemId,
      sku: line.sku,
      qty: line.qty,
      amount: line.total,
      commission: line.commission,
      vendorNet: line.vendorNet,
    }),
  )
  const { delivery } = sold
  const charge = delivery ? delivery.total!.minor + delivery.platformFundedDiscount!.minor : 0n
  return RefundedVendorOrder.fromPartial({
    vendorOrderId: sold.vendorOrderId,
    vendorId: sold.vendorId,
    lines,
    shipping: bdt(charge),
    shippingTax: delivery?.tax,
    commission: sold.commission,
    vendorNet: sold.vendorNet,
  })
}

const total = (entries: { net: { minor: bigint } }[]) => entries.reduce((sum, entry) => sum + entry.net.minor, 0n)

test('a sale’s entries sum to what the order froze, and each is gross less commission', () => {
  fc.assert(
    fc.property(anySold, (sold) => {
      const entries = saleEntries(sold)
      expect(total(entries)).toBe(sold.vendorNet!.minor)
      for (const { gross, commission, net } of entries) expect(net.minor).toBe(gross.minor - commission.minor)
    }),
  )
})

test('the refund of everything reverses the sale entry by entry, commission included', () => {
  fc.assert(
    fc.property(anySold, (sold) => {
      const sales = saleEntries(sold)
      const refunds = refundEntries(wholeRefund(sold))
      expect(refunds.map(({ orderItemId, net, commission }) => ({ orderItemId, net, commission }))).toEqual(
        sales.map(({ orderItemId, net, commission }) => ({
          orderItemId,
          net: bdt(-net.minor),
          commission: bdt(-commission.minor),
        })),
      )
    }),
  )
})

test('one minor unit of difference to the frozen numbers books nothing', () => {
  fc.assert(
    fc.property(anySold, fc.constantFrom(1n, -1n), (sold, off) => {
      const net = bdt(sold.vendorNet!.minor + off)
      expect(() => saleEntries({ ...sold, vendorNet: net })).toThrow('do not sum')
      const commission = bdt(sold.commission!.minor + off)
      expect(() => saleEntries({ ...sold, commission })).toThrow('do not sum')
      const refund = wholeRefund(sold)
      expect(() => refundEntries({ ...refund, commission })).toThrow('do not sum')
      if (sold.delivery?.tax?.minor !== 1n)
        expect(() => refundEntries({ ...refund, vendorNet: net })).toThrow('do not sum')
    }),
  )
})

test('two currencies in one vendor order book nothing', () => {
  const line = SoldLine.fromPartial({ orderItemId: newId(), commission: money('USD', 0n), vendorNet: money('USD', 5n) })
  const sold = SoldVendorOrder.fromPartial({ vendorOrderId: newId(), lines: [line], vendorNet: bdt(5n) })
  expect(() => saleEntries(sold)).toThrow('do not combine')
})

import { add, negate, subtract, sum } from '@haat/money/arithmetic'
import { equals, isZero } from '@haat/money/compare'
import { type Money, zero } from '@haat/money/money'
import type { RefundedLine, RefundedVendorOrder, SoldLine, SoldVendorOrder } from '@haat/proto/order/v1/events'

/** A row of a vendor's account before it has an id; `net` = `gross` - `commission`. */
export type Entry = {
  /** Undefined for delivery. */
  orderItemId: string | undefined
  sku: string
  title: string
  quantity: number
  gross: Money
  commission: Money
  net: Money
  ruleId: string | undefined
  ruleVersion: bigint | undefined
}

/** The numbers of an event contradict each other: nothing may be booked from it. */
export class EarningsMismatch extends Error {
  override readonly name = 'EarningsMismatch'
}

/**
 * What a paid vendor order brings its vendor: one entry per line and one for delivery. Throws EarningsMismatch unless the
 * entries sum to the order's own frozen vendor_net and commission.
 */
export function saleEntries(sold: SoldVendorOrder): Entry[] {
  const { currency, entries } = begin(sold.vendorNet, sold.lines, sold.vendorOrderId)
  const delivery = sold.delivery
    ? subtract(
        add(amount(sold.delivery.total, currency), amount(sold.delivery.platformFundedDiscount, currency)),
        amount(sold.delivery.tax, currency),
      )
    : zero(currency)
  const all = [...entries, ...shipping(delivery)]
  agree(all, currency, sold)
  return all
}

/**
 * What a refund takes from the vendor: the same entries with the sign turned. The delivery part is what vendor_net holds
 * besides the lines, and must be the returned charge without the vendor's own discount, with or without its tax.
 */
export function refundEntries(refunded: RefundedVendorOrder): Entry[] {
  const { currency, entries } = begin(refunded.vendorNet, refunded.lines, refunded.vendorOrderId)
  const delivery = subtract(
    amount(refunded.vendorNet, currency),
    sum(
      currency,
      entries.map((entry) => entry.net),
    ),
  )
  const charge = subtract(amount(refunded.shipping, currency), amount(refunded.shippingVendorFundedDiscount, currency))
  const untaxed = subtract(charge, amount(refunded.shippingTax, currency))
  if (!equals(delivery, charge) && !equals(delivery, untaxed))
    throw new EarningsMismatch(`vendor order ${refunded.vendorOrderId}: lines and delivery do not sum to vendor_net`)
  const all = [...entries, ...shipping(delivery)]
  agree(all, currency, refunded)
  return all.map((entry) => ({
    ...entry,
    gross: negate(entry.gross),
    commission: negate(entry.commission),
    net: negate(entry.net),
  }))
}

function begin(vendorNet: Money | undefined, lines: readonly (SoldLine | RefundedLine)[], vendorOrderId: string) {
  if (!vendorNet) throw new EarningsMismatch(`vendor order ${vendorOrderId}: no vendor_net`)
  return { currency: vendorNet.currency, entries: lines.map((line) => lineEntry(line, vendorNet.currency)) }
}

function lineEntry(line: SoldLine | RefundedLine, currency: string): Entry {
  const commission = amount(line.commission, currency)
  const net = amount(line.vendorNet, currency)
  const sold = 'title' in line ? line : undefined
  return {
    orderItemId: line.orderItemId,
    sku: line.sku,
    title: sold?.title ?? '',
    quantity: line.qty,
    gross: add(net, commission),
    commission,
    net,
    ruleId: sold?.commissionRuleId || undefined,
    ruleVersion: sold?.commissionRuleId ? sold.commissionRuleVersion : undefined,
  }
}

/** Free delivery makes no entry. */
function shipping(net: Money): Entry[] {
  if (isZero(net)) return []
  const none = { orderItemId: undefined, sku: '', title: '', quantity: 0, ruleId: undefined, ruleVersion: undefined }
  return [{ ...none, gross: net, commission: zero(net.currency), net }]
}

function agree(
  entries: readonly Entry[],
  currency: string,
  frozen: { vendorOrderId: string; vendorNet: Money | undefined; commission: Money | undefined },
): void {
  const net = sum(
    currency,
    entries.map((entry) => entry.net),
  )
  const commission = sum(
    currency,
    entries.map((entry) => entry.commission),
  )
  if (!equals(net, amount(frozen.vendorNet, currency)) || !equals(commission, amount(frozen.commission, currency)))
    throw new EarningsMismatch(`vendor order ${frozen.vendorOrderId}: its lines do not sum to what it froze`)
}

/** An absent amount is zero; another currency than the vendor order's throws. */
const amount = (given: Money | undefined, currency: string): Money => add(zero(currency), given ?? zero(currency))

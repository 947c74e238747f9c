import { newId } from '@haat/kit/id'
import { money } from '@haat/money/money'
import { CartSummary, SummaryLine, VendorGroup } from '@haat/proto/cart/v1/cart'
import { taxOf } from '../src/domain/tax.ts'

export const CURRENCY = 'BDT'
export const taka = (minor: bigint | number) => money(CURRENCY, BigInt(minor))

export type LineSpec = {
  sku: string
  qty: number
  price: number
  productId?: string
  vendorFunded?: number
  platformFunded?: number
  taxBps?: number
}
export type GroupSpec = {
  vendorId: string
  lines: LineSpec[]
  delivery?: { amount: number; vendorFunded?: number; platformFunded?: number; taxBps?: number }
}
export type CartSpec = { groups: GroupSpec[]; taxIncluded?: boolean; coupons?: { code: string; discount: number }[] }

export const OPTION = 'std:1'

/** A cart summary with right sums, as cart answers it. */
export function cartOf(spec: CartSpec): CartSummary {
  const included = spec.taxIncluded ?? true
  const groups = spec.groups.map((group) => {
    const lines = group.lines.map((line) => toLine(line, group.vendorId, included))
    const charge = group.delivery ?? { amount: 6000 }
    const off = (charge.vendorFunded ?? 0) + (charge.platformFunded ?? 0)
    const bps = charge.taxBps ?? 0
    const tax = taxOf(taka(charge.amount - off), bps, included)
    const option = {
      optionId: OPTION,
      label: 'Standard',
      carrier: 'table',
      serviceLevel: 'standard',
      minDays: 2,
      maxDays: 4,
    }
    const delivery = {
      ...option,
      amount: taka(charge.amount),
      vendorFundedDiscount: taka(charge.vendorFunded ?? 0),
      platformFundedDiscount: taka(charge.platformFunded ?? 0),
      tax,
      taxBps: bps,
      total: taka(BigInt(charge.amount - off) + (included ? 0n : tax.minor)),
    }
    return VendorGroup.fromPartial({
      vendorId: group.vendorId,
      lines,
      deliveryOptions: [{ ...option, amount: taka(charge.amount) }],
      delivery,
      subtotal: sum(lines.map((line) => line.subtotal)),
      discount: taka(sum(lines.map((line) => line.discount)).minor + BigInt(off)),
      shipping: delivery.amount,
      tax: sum([...lines.map((line) => line.tax), tax]),
      total: sum([...lines.map((line) => line.total), delivery.total]),
    })
  })
  return CartSummary.fromPartial({
    cartId: newId(),
    groups,
    coupons: (spec.coupons ?? []).map(({ code, discount }) => ({
      code,
      couponId: newId(),
      accepted: true,
      fundedBy: 1,
      discount: taka(discount),
    })),
    totals: {
      subtotal: sum(groups.map((group) => group.subtotal)),
      discount: sum(groups.map((group) => group.discount)),
      shipping: sum(groups.map((group) => group.shipping)),
      tax: sum(groups.map((group) => group.tax)),
      total: sum(groups.map((group) => group.total)),
      pricesIncludeTax: included,
    },
    revision: newId(),
  })
}

function toLine(line: LineSpec, vendorId: string, included: boolean): SummaryLine {
  const [vendorFunded, platformFunded, bps] = [line.vendorFunded ?? 0, line.platformFunded ?? 0, line.taxBps ?? 0]
  const net = line.price * line.qty - vendorFunded - platformFunded
  const tax = taxOf(taka(net), bps, included)
  return SummaryLine.fromPartial({
    lineId: line.sku,
    sku: line.sku,
    productId: line.productId ?? newId(),
    vendorId,
    title: `Thing ${line.sku}`,
    image: '',
    optionValues: { Size: 'M' },
    qty: line.qty,
    priceAtAdd: taka(line.price),
    unitPrice: taka(line.price),
    subtotal: taka(line.price * line.qty),
    discount: taka(vendorFunded + platformFunded),
    vendorFundedDiscount: taka(vendorFunded),
    platformFundedDiscount: taka(platformFunded),
    tax,
    taxClass: 'standard',
    taxBps: bps,
    weightGrams: 250,
    available: 100,
    categoryIds: [],
    total: taka(BigInt(net) + (included ? 0n : tax.minor)),
  })
}

const sum = (amounts: (ReturnType<typeof taka> | undefined)[]) =>
  taka(amounts.reduce((all, amount) => all + amount!.minor, 0n))

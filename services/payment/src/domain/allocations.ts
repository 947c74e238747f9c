import { invalid } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'
import type { VendorAllocation } from '@haat/proto/payment/v1/payment'

/** One vendor order's part of a payment or a refund, in minor units of one currency. */
export type Allocation = {
  vendorOrderId: string
  vendorId: string
  goods: bigint
  shipping: bigint
  vendorFundedDiscount: bigint
  platformFundedDiscount: bigint
  tax: bigint
  commission: bigint
  charged: bigint
  vendorNet: bigint
  pricesIncludeTax: boolean
}

const amountFields = [
  'goods',
  'shipping',
  'vendorFundedDiscount',
  'platformFundedDiscount',
  'tax',
  'commission',
  'charged',
  'vendorNet',
] as const

const unbalanced = (message: string, details: Record<string, string> = {}) =>
  invalid('allocation_unbalanced', message, details)

/**
 * The allocations of a request, in a fixed order; INVALID_ARGUMENT `allocation_unbalanced` when they do not add up to the
 * amount by the contract's rules.
 */
export function readAllocations(amount: Money, given: readonly VendorAllocation[]): Allocation[] {
  if (amount.minor < 0n) throw unbalanced('the amount is negative')
  const allocations = given.map((allocation) => readAllocation(amount.currency, allocation))
  const seen = new Set(allocations.map(({ vendorOrderId }) => vendorOrderId))
  if (seen.size !== allocations.length) throw unbalanced('a vendor order occurs twice')
  const charged = allocations.reduce((sum, allocation) => sum + allocation.charged, 0n)
  if (charged !== amount.minor)
    throw unbalanced('the sum of charged is not the amount', { charged: String(charged), amount: String(amount.minor) })
  return allocations.sort((a, b) => (a.vendorOrderId < b.vendorOrderId ? -1 : 1))
}

function readAllocation(currency: string, given: VendorAllocation): Allocation {
  const { vendorOrderId, vendorId, pricesIncludeTax } = given
  const read = (field: (typeof amountFields)[number]) => {
    const value = given[field]
    if (value?.currency !== currency) throw unbalanced(`${field} has another currency`, { vendorOrderId, field })
    if (value.minor < 0n && field !== 'vendorNet') throw unbalanced(`${field} is negative`, { vendorOrderId, field })
    return value.minor
  }
  const amounts = Object.fromEntries(amountFields.map((field) => [field, read(field)])) as Record<
    (typeof amountFields)[number],
    bigint
  >
  const allocation = { vendorOrderId, vendorId, ...amounts, pricesIncludeTax }
  const { goods, shipping, vendorFundedDiscount, platformFundedDiscount, tax, commission, charged, vendorNet } =
    allocation
  if (charged !== goods + shipping + (pricesIncludeTax ? 0n : tax) - vendorFundedDiscount - platformFundedDiscount)
    throw unbalanced('charged is not goods + shipping + tax on top - discounts', { vendorOrderId, field: 'charged' })
  if (vendorNet !== charged + platformFundedDiscount - tax - commission)
    throw unbalanced('vendor_net is not charged + platform discount - tax - commission', {
      vendorOrderId,
      field: 'vendor_net',
    })
  return allocation
}

/** As the database keeps them: amounts as text, since JSON has no integers of 64 bits. */
export const allocationsToJson = (allocations: readonly Allocation[]): string =>
  JSON.stringify(allocations, (_key, value) => (typeof value === 'bigint' ? String(value) : value))

export function allocationsFromJson(stored: unknown): Allocation[] {
  return (stored as Record<string, unknown>[]).map((row) => {
    const amounts = Object.fromEntries(amountFields.map((field) => [field, BigInt(row[field] as string)]))
    return { ...row, ...amounts } as unknown as Allocation
  })
}

/** What is worth turning back of these: goods and delivery before discounts. */
export const grossOf = (allocations: readonly Allocation[]): bigint =>
  allocations.reduce((sum, { goods, shipping }) => sum + goods + shipping, 0n)

/** The vendor orders of a refund that the payment does not have, or has for another vendor. */
export const foreignParts = (sold: readonly Allocation[], back: readonly Allocation[]): string[] =>
  back
    .filter((part) => !sold.some((one) => one.vendorOrderId === part.vendorOrderId && one.vendorId === part.vendorId))
    .map(({ vendorOrderId }) => vendorOrderId)

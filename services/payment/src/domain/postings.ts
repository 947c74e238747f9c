import type { Allocation } from './allocations.ts'

/** One line of a ledger transaction before it is written: debit positive, credit negative. */
export type Entry = {
  account: string
  currency: string
  amount: bigint
  vendorOrderId?: string
  vendorId?: string
}

/** The ledger's chart of accounts; see the head of payment.proto. */
export const accounts = {
  clearing: (provider: string) => `provider_clearing:${provider}`,
  fees: (provider: string) => `provider_fees:${provider}`,
  vendor: (vendorId: string) => `vendor_payable:${vendorId}`,
  commission: 'commission_revenue',
  tax: 'tax_payable',
  promotions: 'platform_promotions',
  suspense: 'suspense',
} as const

/** The customer has paid: what each vendor order brings, and to whom it belongs. */
export const saleEntries = (provider: string, currency: string, allocations: readonly Allocation[]): Entry[] =>
  allocations.flatMap((part) => {
    const { vendorOrderId, vendorId } = part
    const of = (account: string, amount: bigint) => ({ account, currency, amount, vendorOrderId, vendorId })
    return [
      of(accounts.clearing(provider), part.charged),
      of(accounts.promotions, part.platformFundedDiscount),
      of(accounts.vendor(vendorId), -part.vendorNet),
      of(accounts.tax, -part.tax),
      of(accounts.commission, -part.commission),
    ].filter(isMoving)
  })

/** A sale, or a part of it, turned back. */
export const refundEntries = (provider: string, currency: string, allocations: readonly Allocation[]): Entry[] =>
  turned(saleEntries(provider, currency, allocations))

/** A payout leaves the provider and settles what a vendor is owed. */
export const payoutEntries = (provider: string, currency: string, vendorId: string, amount: bigint): Entry[] => [
  { account: accounts.vendor(vendorId), currency, amount, vendorId },
  { account: accounts.clearing(provider), currency, amount: -amount, vendorId },
]

/** What the provider keeps of a movement; a negative fee is given back. */
export const feeEntries = (provider: string, currency: string, fee: bigint): Entry[] =>
  [
    { account: accounts.fees(provider), currency, amount: fee },
    { account: accounts.clearing(provider), currency, amount: -fee },
  ].filter(isMoving)

/** Money that came (positive) or went at the provider and that a person must explain. */
export const suspenseEntries = (provider: string, currency: string, amount: bigint): Entry[] =>
  [
    { account: accounts.clearing(provider), currency, amount },
    { account: accounts.suspense, currency, amount: -amount },
  ].filter(isMoving)

export const turned = (entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => ({ ...entry, amount: -entry.amount }))

/** The currencies in which these entries do not sum to 0; a transaction has none. */
export function unevenCurrencies(entries: readonly Entry[]): string[] {
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of entries) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  return [...sums].filter(([, sum]) => sum !== 0n).map(([currency]) => currency)
}

const isMoving = (entry: Entry): boolean => entry.amount !== 0n

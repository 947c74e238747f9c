import type { Account } from './resources/accounts.ts'
import { type BalanceTransaction, balancesOf } from './resources/balance.ts'
import type { Charge } from './resources/charges.ts'
import type { Dispute } from './resources/disputes.ts'
import type { Event } from './resources/events.ts'
import type { PaymentIntent } from './resources/payment-intent.ts'
import type { Payout } from './resources/payouts.ts'
import type { Refund } from './resources/refunds.ts'
import type { Transfer, TransferReversal } from './resources/transfers.ts'
import type { Store } from './store/store.ts'
import type { Attempt } from './webhooks/dispatcher.ts'

/** The provider's own record of all money, oldest first, to hold a ledger against. */
export type State = {
  /** Minor units by lower-case currency: the platform's, and each connected account's. */
  balance: { platform: Record<string, number>; accounts: Record<string, Record<string, number>> }
  accounts: Account[]
  balanceTransactions: (BalanceTransaction & { account: string | null })[]
  charges: Charge[]
  disputes: Dispute[]
  events: Event[]
  paymentIntents: PaymentIntent[]
  payouts: Payout[]
  refunds: Refund[]
  transferReversals: TransferReversal[]
  transfers: Transfer[]
  webhooks: { attempts: Attempt[]; owed: number }
}

export function dumpState(store: Store, attempts: Attempt[]): State {
  const { tables } = store
  const accounts = [...tables.accounts.values()]
  return structuredClone({
    balance: {
      platform: balancesOf(store, null),
      accounts: Object.fromEntries(accounts.map(({ id }) => [id, balancesOf(store, id)])),
    },
    accounts,
    balanceTransactions: [...tables.balanceTransactions.values()].map((row) => ({
      ...row,
      account: store.hidden.get(row.id)?.account ?? null,
    })),
    charges: [...tables.charges.values()],
    disputes: [...tables.disputes.values()],
    events: [...tables.events.values()],
    paymentIntents: [...tables.paymentIntents.values()],
    payouts: [...tables.payouts.values()],
    refunds: [...tables.refunds.values()],
    transferReversals: [...tables.transferReversals.values()],
    transfers: [...tables.transfers.values()],
    webhooks: { attempts, owed: store.deliveries.size },
  })
}

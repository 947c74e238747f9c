import type { SavedResult } from '../http/idempotency.ts'
import type { Account } from '../resources/accounts.ts'
import type { BalanceTransaction } from '../resources/balance.ts'
import type { Charge } from '../resources/charges.ts'
import type { Dispute } from '../resources/disputes.ts'
import type { Event } from '../resources/events.ts'
import type { PaymentIntent } from '../resources/payment-intent.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import type { Payout } from '../resources/payouts.ts'
import type { Refund } from '../resources/refunds.ts'
import type { Transfer, TransferReversal } from '../resources/transfers.ts'
import type { WebhookEndpoint } from '../resources/webhook-endpoints.ts'
import type { Delivery } from '../webhooks/dispatcher.ts'

export type Tables = {
  accounts: Account
  balanceTransactions: BalanceTransaction
  charges: Charge
  disputes: Dispute
  events: Event
  paymentIntents: PaymentIntent
  paymentMethods: PaymentMethod
  payouts: Payout
  refunds: Refund
  transferReversals: TransferReversal
  transfers: Transfer
  webhookEndpoints: WebhookEndpoint
}
export type TableName = keyof Tables

/** What the emulator knows about an object and the API does not show. */
export type Hidden = {
  account?: string
  testCard?: string
  isAuthenticated?: boolean
  secret?: string
  isConfigured?: boolean
}

/** Everything that a restart keeps. Rows are in order of creation. */
export type Store = {
  tables: { [N in TableName]: Map<string, Tables[N]> }
  hidden: Map<string, Hidden>
  savedResults: Map<string, SavedResult>
  deliveries: Map<string, Delivery>
}

export function createStore(): Store {
  return {
    tables: {
      accounts: new Map(),
      balanceTransactions: new Map(),
      charges: new Map(),
      disputes: new Map(),
      events: new Map(),
      paymentIntents: new Map(),
      paymentMethods: new Map(),
      payouts: new Map(),
      refunds: new Map(),
      transferReversals: new Map(),
      transfers: new Map(),
      webhookEndpoints: new Map(),
    },
    hidden: new Map(),
    savedResults: new Map(),
    deliveries: new Map(),
  }
}

export function clearStore(store: Store): void {
  for (const map of mapsOf(store)) map.clear()
}

export function insert<N extends TableName>(store: Store, table: N, row: Tables[N], hidden: Hidden = {}): Tables[N] {
  store.tables[table].set(row.id, row)
  if (Object.keys(hidden).length > 0) store.hidden.set(row.id, hidden)
  return row
}

/** Rows of another account are as absent as rows that never were. */
export function findOwn<N extends TableName>(
  store: Store,
  table: N,
  id: string,
  account: string | null,
): Tables[N] | undefined {
  return ownerOf(store, id) === account ? store.tables[table].get(id) : undefined
}

export function findAny(store: Store, id: string): Tables[TableName] | undefined {
  for (const table of Object.values(store.tables)) {
    const row = table.get(id)
    if (row) return row
  }
  return undefined
}

export function ownerOf(store: Store, id: string): string | null {
  return store.hidden.get(id)?.account ?? null
}

export function hide(store: Store, id: string, facts: Hidden): void {
  store.hidden.set(id, { ...store.hidden.get(id), ...facts })
}

/** The owner as a hidden fact: nothing for the platform. */
export function ownedBy(account: string | null): Hidden {
  return account === null ? {} : { account }
}

export function snapshot(store: Store): string {
  return JSON.stringify({
    version: 1,
    tables: Object.fromEntries(Object.entries(store.tables).map(([name, rows]) => [name, [...rows]])),
    hidden: [...store.hidden],
    // A request that was still running when the process ended never answered: its key is free again.
    savedResults: [...store.savedResults].filter(([, saved]) => saved.answer !== undefined),
    deliveries: [...store.deliveries],
  })
}

export function restore(store: Store, text: string): void {
  const saved = JSON.parse(text) as {
    version: number
    tables: Record<string, [string, never][]>
    hidden: [string, Hidden][]
    savedResults: [string, SavedResult][]
    deliveries: [string, Delivery][]
  }
  if (saved.version !== 1) throw new Error(`unknown version of the state file: ${saved.version}`)
  clearStore(store)
  for (const [name, rows] of Object.entries(saved.tables))
    fill(store.tables[name as TableName] as Map<string, never>, rows)
  fill(store.hidden, saved.hidden)
  fill(store.savedResults, saved.savedResults)
  fill(store.deliveries, saved.deliveries)
}

function mapsOf(store: Store): Map<string, unknown>[] {
  return [...Object.values(store.tables), store.hidden, store.savedResults, store.deliveries]
}

function fill<T>(map: Map<string, T>, entries: [string, T][]): void {
  for (const [key, value] of entries) map.set(key, value)
}

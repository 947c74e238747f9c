import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newId } from '@haat/kit/id'
import {
  type CreateIntentRequest,
  PaymentProvider,
  type PaymentServiceClient,
  PaymentServiceDefinition,
  type VendorAllocation,
} from '@haat/proto/payment/v1/payment'
import { type StripeEmulator, startStripeEmulator } from '@haat/stripe-emulator/start-stripe-emulator'
import { eventually } from '@haat/testkit/eventually'
import { startTestService } from '@haat/testkit/service'
import { customer, neighbour, staff } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import Stripe from 'stripe'
import { afterAll, expect } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { PaymentContext } from '../src/context.ts'
import type { Provider } from '../src/provider/provider.ts'
import { createStripe } from '../src/provider/stripe.ts'
import { startPayment } from '../src/service.ts'

export const SECRET = 'whsec_current'
export const PREVIOUS_SECRET = 'whsec_previous'
export const usd = (minor: bigint | number) => ({ currency: 'USD', minor: BigInt(minor) })

/** How far the clock moves for work that waits; it stands still otherwise, so that no timer takes up what a test looks at. */
const HOURS_AHEAD = 2

/** One vendor order's part: prices include tax, the commission is a tenth, and the platform bears the discount. */
export function part(
  charged: number,
  more: Partial<{ vendorId: string; vendorOrderId: string; discount: number; tax: number }> = {},
) {
  const { discount = 0, tax = 0 } = more
  const commission = Math.floor((charged + discount) / 10)
  return {
    vendorOrderId: more.vendorOrderId ?? newId(),
    vendorId: more.vendorId ?? newId(),
    goods: usd(charged + discount),
    shipping: usd(0),
    vendorFundedDiscount: usd(0),
    platformFundedDiscount: usd(discount),
    tax: usd(tax),
    commission: usd(commission),
    charged: usd(charged),
    vendorNet: usd(charged + discount - tax - commission),
    pricesIncludeTax: true,
  } satisfies VendorAllocation
}

/** Payment on its own database, Stripe's emulator, and the little web server that hands notifications on, as the BFF does. */
export async function startHarness(options: { wrap?: (provider: Provider) => Provider } = {}) {
  let handle: (payload: Buffer, signature: string) => Promise<unknown> = () => Promise.reject(new Error('not ready'))
  const receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    await handle(Buffer.concat(chunks), String(request.headers['stripe-signature'])).then(
      () => response.writeHead(200).end(),
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const emulator: StripeEmulator = await startStripeEmulator({
    webhook: [{ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, secret: SECRET }],
    retryScheduleMs: [20, 50, 100],
  })
  // Nor may the timer that reads the provider's list find what a test wants lost.
  const hideList = () => emulator.faults.api({ kind: 'unavailable', path: '/v1/events', method: 'GET', times: 1e9 })
  hideList()
  afterAll(async () => {
    await emulator.close()
    receiver.closeAllConnections()
    await new Promise((resolve) => receiver.close(resolve))
  })

  const own = createStripe({
    secretKey: emulator.secretKey,
    publishableKey: emulator.publishableKey,
    apiUrl: emulator.url,
    timeoutMs: 5_000,
    webhookSecrets: [SECRET],
  })
  afterAll(own.close)
  const wrapped = options.wrap?.(own.provider)

  const startedAt = Date.now()
  let aheadMs = 0
  let runs = 0
  const service = await startTestService<ReturnType<typeof loadConfig>, PaymentContext>({
    name: 'payment',
    load: loadConfig,
    start: startPayment,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: { now: () => new Date(startedAt + aheadMs), ...(wrapped ? { provider: wrapped } : {}) },
    env: {
      STRIPE_KEY: emulator.secretKey,
      STRIPE_PUBLISHABLE_KEY: emulator.publishableKey,
      STRIPE_API_URL: emulator.url,
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_SECRET_PREVIOUS: PREVIOUS_SECRET,
      SHUTDOWN_GRACE_SECONDS: '2',
    },
  })
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<PaymentServiceClient>(PaymentServiceDefinition, who)
  // A new client after each restart: the service comes back on another port.
  const identities = {
    order: await neighbour('order'),
    staff: await staff('payments.read', 'payments.refund', 'payouts.approve', 'ledger.read'),
    buyer: await customer(),
  }
  const anyone = () => as()
  const order = () => as(identities.order)
  const office = () => as(identities.staff)
  handle = (payload, signature) => anyone().handleWebhook({ provider: PaymentProvider.STRIPE, payload, signature })

  // The shop's own pages, and people at the provider's dashboard.
  const stripe = new Stripe(emulator.secretKey, {
    host: emulator.host,
    port: emulator.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  })
  const request = (amount: number, more: Partial<CreateIntentRequest> = {}): CreateIntentRequest => ({
    orderId: newId(),
    orderNo: 'HAAT-1',
    userId: identities.buyer.userId,
    provider: PaymentProvider.STRIPE,
    amount: usd(amount),
    allocations: [part(amount)],
    ...more,
  })
  const pay = (intentId: string, card = 'pm_card_visa') =>
    stripe.paymentIntents.confirm(intentId, { payment_method: card }).catch((error: Stripe.errors.StripeError) => error)
  const balances = async (byVendor = true) => {
    const { balances: lines, sums } = await office().getTrialBalance({ byVendor })
    for (const sum of sums) expect(sum.minor).toBe(0n)
    return new Map(lines.map((line) => [line.account, line.balance!.minor]))
  }

  return {
    service,
    emulator,
    stripe,
    as,
    anyone,
    order,
    office,
    identities,
    request,
    pay,
    balances,
    /** The service's clock. */
    nowSeconds: () => Math.floor(startedAt / 1000),
    clearFaults() {
      emulator.faults.clear()
      hideList()
    },
    /** Reads the provider's list of events now; ends all faults. */
    async fetchMissed() {
      emulator.faults.clear()
      await service.service.runJob('fetch-missed-notices')
      hideList()
    },
    /** The next such request has its effect and its connection breaks; the SDK's second try finds the door shut. */
    loseAnswer(path: string) {
      emulator.faults.api({ kind: 'reset-after', path, method: 'POST' })
      emulator.faults.api({ kind: 'unavailable', path, method: 'POST' })
    },
    /** Delivered and acted on. */
    settle: () => emulator.settle(),
    get(orderId: string) {
      return order()
        .getPayment({ key: { $case: 'orderId', value: orderId } })
        .then(({ payment }) => payment!)
    },
    /** A new order's payment that waits for its customer. */
    async waiting(amount = 5_000, more: Partial<CreateIntentRequest> = {}) {
      const body = request(amount, more)
      const { payment, session } = await order().createIntent(body)
      return { ...body, paymentId: payment!.id, intentId: session!.intentId, session: session! }
    },
    /** A new order's payment, paid and told. */
    async paid(amount = 5_000, more: Partial<CreateIntentRequest> = {}) {
      const body = await this.waiting(amount, more)
      await pay(body.intentId)
      await emulator.settle()
      await eventually(async () => expect((await this.get(body.orderId)).paidAt).toBeDefined())
      return body
    },
    refundOf(sold: { orderId: string; allocations: VendorAllocation[] }, charged: number, more: object = {}) {
      const { vendorId, vendorOrderId } = sold.allocations[0]!
      return {
        idempotencyKey: newId(),
        orderId: sold.orderId,
        refundId: newId(),
        amount: usd(charged),
        allocations: [part(charged, { vendorId, vendorOrderId })],
        reason: 'broken',
        ...more,
      }
    },
    /** Runs a job as it would run when everything that waits has become due. */
    async runLater(...names: string[]) {
      // Each time later than the last, since a job puts off what it could not finish.
      aheadMs = ++runs * HOURS_AHEAD * 3_600_000
      try {
        for (const name of names) await service.service.runJob(name)
      } finally {
        aheadMs = 0
      }
    },
    rows: async <Row>(table: string, orderBy = 'id') =>
      (await sql<Row>`select * from ${sql.table(table)} order by ${sql.ref(orderBy)}`.execute(service.database.db))
        .rows,
    /** The ledger says to the cent what the provider says. */
    async expectBooksToAgree() {
      const state = emulator.state()
      const books = await balances()
      expect(books.get('provider_clearing:stripe') ?? 0n).toBe(BigInt(state.balance.platform.usd ?? 0))
      const fees = state.balanceTransactions
        .filter((row) => row.account === null)
        .reduce((sum, row) => sum + row.fee, 0)
      expect(books.get('provider_fees:stripe') ?? 0n).toBe(BigInt(fees))
      const paidOut = Object.values(state.balance.accounts).reduce((sum, account) => sum + (account.usd ?? 0), 0)
      const { rows } = await sql<{ sum: string }>`
        select coalesce(sum(p.amount), 0)::text as sum from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
         where t.kind in ('payout', 'payout_reversal') and p.account like 'vendor_payable:%'`.execute(
        service.database.db,
      )
      expect(BigInt(rows[0]!.sum)).toBe(BigInt(paidOut))
    },
  }
}

export type Harness = Awaited<ReturnType<typeof startHarness>>

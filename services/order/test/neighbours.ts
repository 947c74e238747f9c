import { type AppError, conflict, failedPrecondition, invalid, notFound, unavailable } from '@haat/kit/errors'
import { applyBps } from '@haat/money/ratio'
import type { CartServiceClient, CartSummary } from '@haat/proto/cart/v1/cart'
import { type InventoryServiceClient, ReservationState } from '@haat/proto/inventory/v1/inventory'
import {
  CreateIntentRequest,
  Payment,
  type PaymentServiceClient,
  PaymentStatus,
  RefundRequest,
  type VendorAllocation,
  VoidOutcome,
} from '@haat/proto/payment/v1/payment'
import type { PromotionServiceClient } from '@haat/proto/promotion/v1/promotion'
import { CommissionQuote, type VendorServiceClient } from '@haat/proto/vendor/v1/vendor'
import { fake } from '@haat/testkit/fake'
import { taka } from './cart.ts'

type Lines = { sku?: string; qty?: number }[]

/**
 * The neighbours of checkout, each with just enough memory to be asked afterwards what they hold. `cut` makes a call fail
 * before it has its effect, or after it: the answer is lost.
 */
export function startNeighbours() {
  const reservations = new Map<string, { state: 'held' | 'committed' | 'released' | 'expired'; lines: Lines }>()
  const coupons = new Map<string, 'held' | 'released'>()
  const payments = new Map<
    string,
    { status: 'open' | 'paid' | 'voided'; request?: CreateIntentRequest; paidAt?: Date }
  >()
  const refunds = new Map<string, RefundRequest>()
  const restocks = new Map<string, Lines>()
  const calls: string[] = []
  const cuts: { call: string; when: 'before' | 'after'; error: Error; times: number }[] = []
  const carts = new Map<string, CartSummary>()
  const soldOut = new Set<string>()

  const fault = (call: string, when: 'before' | 'after') => {
    const cut = cuts.find((candidate) => candidate.call === call && candidate.when === when && candidate.times > 0)
    if (!cut) return
    cut.times--
    throw cut.error
  }
  const through = async <T>(call: string, work: () => T): Promise<T> => {
    calls.push(call)
    fault(call, 'before')
    const answer = work()
    fault(call, 'after')
    return answer
  }
  const paymentOf = (orderId: string): Payment => {
    const known = payments.get(orderId)!
    return Payment.fromPartial({
      orderId,
      intentId: `pi_${orderId}`,
      status:
        known.status === 'paid'
          ? PaymentStatus.SUCCEEDED
          : known.status === 'voided'
            ? PaymentStatus.VOIDED
            : PaymentStatus.REQUIRES_PAYMENT,
      paidAt: known.paidAt,
    })
  }

  const cart = fake<CartServiceClient>('cart', {
    summarizeForUser: (request) =>
      through('summarizeForUser', () => {
        const summary = carts.get(request.userId!)
        if (!summary) throw notFound('cart_not_found', 'no cart')
        return { summary }
      }),
  })
  const vendor = fake<VendorServiceClient>('vendor', {
    quoteCommission: (request) =>
      through('quoteCommission', () => ({
        quotes: (request.lines ?? []).map((line) =>
          CommissionQuote.fromPartial({
            lineId: line.lineId!,
            commission: applyBps(taka(line.base!.minor as bigint), 1000),
            ruleId: 'rule-1',
            ruleVersion: 7n,
          }),
        ),
        version: 7n,
      })),
  })
  const inventory = fake<InventoryServiceClient>('inventory', {
    reserve: (request) =>
      through('reserve', () => {
        const orderId = request.orderId!
        const lines = request.lines as Lines
        const standing = reservations.get(orderId)
        if (!standing || standing.state === 'released' || standing.state === 'expired') {
          const short = lines.filter((line) => soldOut.has(line.sku!))
          if (short.length)
            throw failedPrecondition('stock_insufficient', 'not enough', { skus: short.map((l) => l.sku).join(',') })
          reservations.set(orderId, { state: 'held', lines })
        }
        const expiresAt = new Date(Date.now() + request.ttlSeconds! * 1000)
        return { reservation: { orderId, state: ReservationState.HELD, lines: [], expiresAt } }
      }),
    commit: (request) =>
      through('commit', () => {
        const standing = reservations.get(request.orderId!)
        if (!standing) throw notFound('reservation_not_found', 'holds nothing')
        if (standing.state === 'released' || standing.state === 'expired')
          throw failedPrecondition('reservation_expired', 'gone')
        standing.state = 'committed'
        return { reservation: undefined }
      }),
    release: (request) =>
      through('release', () => {
        const standing = reservations.get(request.orderId!)
        if (standing?.state === 'committed') throw failedPrecondition('reservation_committed', 'a sale already')
        if (standing) standing.state = 'released'
        return {}
      }),
    restock: (request) =>
      through('restock', () => {
        const applied = !restocks.has(request.reference!)
        restocks.set(request.reference!, request.lines as Lines)
        return { applied }
      }),
  })
  const promotion = fake<PromotionServiceClient>('promotion', {
    hold: (request) =>
      through('hold', () => {
        coupons.set(request.orderId!, 'held')
        return { usages: [] }
      }),
    release: (request) =>
      through('releaseCoupons', () => {
        if (coupons.has(request.orderId!)) coupons.set(request.orderId!, 'released')
        return { usages: [] }
      }),
  })
  const payment = fake<PaymentServiceClient>('payment', {
    createIntent: (input) =>
      through('createIntent', () => {
        const request = CreateIntentRequest.fromPartial(input)
        balanced(request.allocations, request.amount!.minor)
        const known = payments.get(request.orderId)
        if (known?.status === 'voided') throw failedPrecondition('payment_voided', 'closed')
        if (known?.request && same(known.request) !== same(request)) throw conflict('payment_exists', 'another body')
        if (!known)
          payments.set(request.orderId, {
            status: request.amount!.minor === 0n ? 'paid' : 'open',
            request,
            ...(request.amount!.minor === 0n ? { paidAt: new Date() } : {}),
          })
        const answer = { payment: paymentOf(request.orderId) }
        if (payments.get(request.orderId)!.status !== 'open') return answer
        const session = {
          provider: 1 as const,
          intentId: answer.payment.intentId,
          clientSecret: 's',
          publishableKey: 'pk',
        }
        return { ...answer, session }
      }),
    voidIntent: (request) =>
      through('voidIntent', () => {
        const orderId = request.orderId!
        const known = payments.get(orderId)
        if (!known) {
          payments.set(orderId, { status: 'voided' })
          return { outcome: VoidOutcome.NOTHING_TO_VOID }
        }
        if (known.status === 'paid') return { outcome: VoidOutcome.ALREADY_PAID, payment: paymentOf(orderId) }
        known.status = 'voided'
        return { outcome: VoidOutcome.VOIDED, payment: paymentOf(orderId) }
      }),
    refund: (input) =>
      through('refund', () => {
        const request = RefundRequest.fromPartial(input)
        balanced(request.allocations, request.amount!.minor)
        refunds.set(request.refundId, request)
        return { refund: undefined }
      }),
  })

  return {
    clients: { cart, vendor, inventory, promotion, payment },
    carts,
    reservations,
    coupons,
    payments,
    refunds,
    restocks,
    calls,
    soldOut,
    /** Makes the next calls of this RPC fail; by default once, without an answer. */
    cut(
      call: string,
      when: 'before' | 'after' = 'before',
      error: Error = unavailable('service_unavailable', 'no answer'),
      times = 1,
    ) {
      cuts.push({ call, when, error, times })
    },
    mend: () => void cuts.splice(0),
    /** The customer pays at the provider. */
    pay(orderId: string) {
      const known = payments.get(orderId)!
      known.status = 'paid'
      known.paidAt = new Date()
    },
    refundsOf: (orderId: string) => [...refunds.values()].filter((refund) => refund.orderId === orderId),
  }
}

const same = (request: CreateIntentRequest) => JSON.stringify(CreateIntentRequest.toJSON(request))

/** Payment's own rules for allocations. */
function balanced(allocations: VendorAllocation[], amount: bigint): void {
  const fail = () => {
    throw invalid('allocation_unbalanced', 'the sums do not hold')
  }
  let charged = 0n
  for (const raw of allocations) {
    const of = (key: keyof VendorAllocation) => (raw[key] as { minor: bigint }).minor
    const sums =
      of('goods') +
      of('shipping') +
      (raw.pricesIncludeTax ? 0n : of('tax')) -
      of('vendorFundedDiscount') -
      of('platformFundedDiscount')
    if (of('charged') !== sums) fail()
    if (of('vendorNet') !== of('charged') + of('platformFundedDiscount') - of('tax') - of('commission')) fail()
    const keys = [
      'goods',
      'shipping',
      'vendorFundedDiscount',
      'platformFundedDiscount',
      'tax',
      'commission',
      'charged',
    ] as const
    if (keys.some((key) => of(key) < 0n)) fail()
    charged += of('charged')
  }
  if (charged !== amount) fail()
}

export const refused = (code: string): AppError => failedPrecondition(code, 'no')

import type { Call, Context } from '../context.ts'
import { anyHash, applyMetadata, hash, integer, metadata, oneOf, required, text, type Values } from '../http/params.ts'
import { route } from '../http/route.ts'
import { resourceMissing, StripeError } from '../http/stripe-error.ts'
import { newId } from '../store/new-id.ts'
import { findOwn, insert, ownedBy } from '../store/store.ts'
import { cardByNumber, cardByToken, liveCard, type TestCard } from './test-cards.ts'

export type PaymentMethod = {
  id: string
  object: 'payment_method'
  created: number
  livemode: false
  type: 'card'
  customer: null
  billing_details: unknown
  metadata: Record<string, string>
  card: { brand: string; last4: string; exp_month: number; exp_year: number; funding: 'credit'; country: 'US' }
}

/** The body of POST /v1/payment_methods, and `payment_method_data` wherever that is taken. */
export const methodShape = {
  type: required(oneOf('card')),
  card: required(hash({ number: text(), token: text(), exp_month: integer(), exp_year: integer(), cvc: text() })),
  billing_details: anyHash(),
  allow_redisplay: text(),
  metadata: metadata(),
}

export const paymentMethodRoutes = [
  route('POST', '/v1/payment_methods', { ...methodShape, ...browserParams() }, createMethod, { publishable: true }),
  route('GET', '/v1/payment_methods/:id', {}, (ctx, _params, call) => getMethod(ctx, call, call.ids.id ?? '')),
]

/** What Stripe's own browser code adds to its requests. */
export function browserParams() {
  return { payment_user_agent: text(), referrer: text(), time_on_page: text(), guid: text(), muid: text(), sid: text() }
}

export function createMethod(ctx: Context, params: Values<typeof methodShape>, call: Call): PaymentMethod {
  const number = params.card.number?.replaceAll(/[\s-]/g, '') ?? ''
  const token = params.card.token?.replace(/^tok_/, 'pm_card_')
  const card = token === undefined ? cardFromNumber(ctx, number, params.card) : cardByToken(token)
  if (!card) throw resourceMissing('token', params.card.token ?? '', 'card[token]')
  return insertMethod(ctx, call, card, {
    number,
    expMonth: params.card.exp_month ?? 12,
    expYear: params.card.exp_year ?? 2034,
    billing: params.billing_details,
    metadata: applyMetadata({}, params.metadata),
  })
}

/** A stored method, or a new one from a token such as pm_card_visa. */
export function resolveMethod(ctx: Context, call: Call, id: string): PaymentMethod {
  const card = cardByToken(id)
  if (card && card !== liveCard) return insertMethod(ctx, call, card, {})
  return getMethod(ctx, call, id, 'payment_method')
}

export function getMethod(ctx: Context, call: Call, id: string, param = 'payment_method'): PaymentMethod {
  const method = findOwn(ctx.store, 'paymentMethods', id, call.account)
  if (!method) throw resourceMissing('PaymentMethod', id, param)
  return method
}

export function testCardOf(ctx: Context, method: PaymentMethod): TestCard {
  return cardByToken(ctx.store.hidden.get(method.id)?.testCard ?? '') ?? liveCard
}

type Details = {
  number?: string
  expMonth?: number
  expYear?: number
  billing?: unknown
  metadata?: Record<string, string>
}

function insertMethod(ctx: Context, call: Call, card: TestCard, details: Details): PaymentMethod {
  const method: PaymentMethod = {
    id: newId('pm'),
    object: 'payment_method',
    created: ctx.nowSeconds(),
    livemode: false,
    type: 'card',
    customer: null,
    billing_details: details.billing ?? { address: null, email: null, name: null, phone: null },
    metadata: details.metadata ?? {},
    card: {
      brand: card.brand,
      last4: (details.number || card.number || '0000').slice(-4),
      exp_month: details.expMonth ?? 12,
      exp_year: details.expYear ?? 2034,
      funding: 'credit',
      country: 'US',
    },
  }
  return insert(ctx.store, 'paymentMethods', method, { ...ownedBy(call.account), testCard: card.token })
}

function cardFromNumber(ctx: Context, number: string, card: Values<typeof methodShape>['card']): TestCard {
  if (!passesLuhn(number)) throw cardProblem('incorrect_number', 'Your card number is incorrect.', 'number')
  const month = card.exp_month ?? 12
  const year = (card.exp_year ?? 2034) < 100 ? 2000 + (card.exp_year ?? 34) : (card.exp_year ?? 2034)
  if (month < 1 || month > 12)
    throw cardProblem('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month')
  const now = new Date(ctx.nowSeconds() * 1000)
  if (Date.UTC(year, month) <= Date.UTC(now.getUTCFullYear(), now.getUTCMonth())) {
    throw cardProblem('invalid_expiry_year', "Your card's expiration year is invalid.", 'exp_year')
  }
  return cardByNumber(number)
}

function passesLuhn(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false
  const digits = [...number].reverse().map(Number)
  const sum = digits.reduce((total, digit, index) => {
    const weighted = index % 2 === 1 ? digit * 2 : digit
    return total + (weighted > 9 ? weighted - 9 : weighted)
  }, 0)
  return sum % 10 === 0
}

function cardProblem(code: string, message: string, param: string): StripeError {
  return new StripeError(402, { type: 'card_error', code, message, param })
}

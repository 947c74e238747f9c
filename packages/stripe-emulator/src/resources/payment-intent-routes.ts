import type { Call, Context } from '../context.ts'
import { listPage, listShape } from '../http/listing.ts'
import {
  anyHash,
  applyMetadata,
  currency,
  flag,
  hash,
  metadata,
  oneOf,
  required,
  text,
  type Values,
} from '../http/params.ts'
import { route } from '../http/route.ts'
import { invalidRequest } from '../http/stripe-error.ts'
import { newId, randomText } from '../store/new-id.ts'
import { insert, ownedBy } from '../store/store.ts'
import { amount, assertChargeable } from './amounts.ts'
import { emit } from './events.ts'
import {
  assertHasMethod,
  assertMay,
  attachMethod,
  attemptPayment,
  cancelIntent,
  getIntent,
  type PaymentIntent,
} from './payment-intent.ts'
import { browserParams, createMethod, methodShape, resolveMethod } from './payment-methods.ts'

const methodParams = {
  payment_method: text(),
  payment_method_data: hash(methodShape),
  payment_method_options: anyHash(),
}
const detailParams = {
  description: text(),
  metadata: metadata(),
  receipt_email: text(),
  shipping: anyHash(),
  statement_descriptor: text(),
  statement_descriptor_suffix: text(),
  transfer_group: text(),
}
const createShape = {
  ...methodParams,
  ...detailParams,
  amount: required(amount()),
  currency: required(currency()),
  automatic_payment_methods: hash({ enabled: required(flag()), allow_redirects: oneOf('always', 'never') }),
  capture_method: oneOf('automatic', 'automatic_async'),
  confirm: flag(),
  confirmation_method: oneOf('automatic', 'manual'),
  off_session: text(),
  return_url: text(),
  use_stripe_sdk: flag(),
}
const updateShape = { ...methodParams, ...detailParams, amount: amount(), currency: currency() }
const confirmShape = {
  ...methodParams,
  ...browserParams(),
  client_secret: text(),
  expected_payment_method_type: text(),
  mandate_data: anyHash(),
  off_session: text(),
  receipt_email: text(),
  return_url: text(),
  shipping: anyHash(),
  use_stripe_sdk: flag(),
}
const cancelShape = { cancellation_reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer', 'abandoned') }

export const paymentIntentRoutes = [
  route('POST', '/v1/payment_intents', createShape, create),
  route('GET', '/v1/payment_intents', listShape, (ctx, params, call) => listPage(ctx, call, 'paymentIntents', params)),
  route('GET', '/v1/payment_intents/:id', { client_secret: text() }, retrieve, { publishable: true }),
  route('POST', '/v1/payment_intents/:id', updateShape, update),
  route('POST', '/v1/payment_intents/:id/confirm', confirmShape, confirm, { publishable: true }),
  route('POST', '/v1/payment_intents/:id/cancel', cancelShape, cancel),
]

function create(ctx: Context, params: Values<typeof createShape>, call: Call): PaymentIntent {
  assertChargeable(params.amount, params.currency)
  const id = newId('pi')
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    amount: params.amount,
    amount_capturable: 0,
    amount_received: 0,
    automatic_payment_methods: {
      enabled: params.automatic_payment_methods?.enabled ?? true,
      allow_redirects: params.automatic_payment_methods?.allow_redirects ?? 'always',
    },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.capture_method ?? 'automatic_async',
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: params.confirmation_method ?? 'automatic',
    created: ctx.nowSeconds(),
    currency: params.currency,
    customer: null,
    description: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: {},
    next_action: null,
    payment_method: null,
    payment_method_options: params.payment_method_options ?? {},
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    shipping: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_group: null,
  }
  setMethod(ctx, call, intent, params)
  setDetails(intent, params)
  if (params.confirm) assertHasMethod(intent)
  insert(ctx.store, 'paymentIntents', intent, ownedBy(call.account))
  emit(ctx, call, 'payment_intent.created', intent)
  if (params.confirm) attemptPayment(ctx, call, intent, params.return_url)
  return intent
}

function retrieve(ctx: Context, params: { client_secret: string | undefined }, call: Call): object {
  const intent = getIntent(ctx, call, call.ids.id ?? '')
  assertBrowserMay(intent, params.client_secret, call)
  return call.isPublishable ? publicView(intent) : intent
}

function update(ctx: Context, params: Values<typeof updateShape>, call: Call): PaymentIntent {
  const intent = getIntent(ctx, call, call.ids.id ?? '')
  // Metadata may be written for ever; money only before it moves.
  const isMoney = params.amount !== undefined || params.currency !== undefined || params.payment_method !== undefined
  if (isMoney || params.payment_method_data !== undefined) assertMay('update', intent)
  assertChargeable(params.amount ?? intent.amount, params.currency ?? intent.currency)
  setMethod(ctx, call, intent, params)
  intent.amount = params.amount ?? intent.amount
  intent.currency = params.currency ?? intent.currency
  setDetails(intent, params)
  return intent
}

function confirm(ctx: Context, params: Values<typeof confirmShape>, call: Call): object {
  const intent = getIntent(ctx, call, call.ids.id ?? '')
  assertBrowserMay(intent, params.client_secret, call)
  assertMay('confirm', intent)
  if (call.isPublishable && intent.confirmation_method === 'manual') {
    const message = 'This PaymentIntent requires manual confirmation, which is only possible with a secret key.'
    throw invalidRequest(message, { code: 'payment_intent_invalid_parameter' })
  }
  setMethod(ctx, call, intent, params)
  setDetails(intent, params)
  attemptPayment(ctx, call, intent, params.return_url)
  return call.isPublishable ? publicView(intent) : intent
}

function cancel(ctx: Context, params: Values<typeof cancelShape>, call: Call): PaymentIntent {
  const intent = getIntent(ctx, call, call.ids.id ?? '')
  cancelIntent(ctx, call, intent, params.cancellation_reason)
  return intent
}

function setDetails(intent: PaymentIntent, params: Partial<Values<typeof detailParams>>): void {
  intent.description = params.description ?? intent.description
  intent.metadata = applyMetadata(intent.metadata, params.metadata)
  intent.receipt_email = params.receipt_email ?? intent.receipt_email
  intent.shipping = params.shipping ?? intent.shipping
  intent.statement_descriptor = params.statement_descriptor ?? intent.statement_descriptor
  intent.statement_descriptor_suffix = params.statement_descriptor_suffix ?? intent.statement_descriptor_suffix
  intent.transfer_group = params.transfer_group ?? intent.transfer_group
}

function setMethod(ctx: Context, call: Call, intent: PaymentIntent, params: Values<typeof methodParams>): void {
  if (params.payment_method !== undefined) attachMethod(ctx, intent, resolveMethod(ctx, call, params.payment_method))
  else if (params.payment_method_data) attachMethod(ctx, intent, createMethod(ctx, params.payment_method_data, call))
}

/** A publishable key is known to everyone; the client secret is what admits to one intent. */
function assertBrowserMay(intent: PaymentIntent, clientSecret: string | undefined, call: Call): void {
  if (clientSecret === intent.client_secret || (clientSecret === undefined && !call.isPublishable)) return
  throw invalidRequest(
    'The client_secret provided does not match the client_secret associated with the PaymentIntent.',
    {
      code: 'payment_intent_invalid_parameter',
      param: 'client_secret',
    },
  )
}

/** What a browser is shown: nothing that the shop wrote for itself. */
function publicView(intent: PaymentIntent): object {
  const { metadata: _metadata, latest_charge: _charge, transfer_group: _group, ...shown } = intent
  return shown
}

/**
 * The Stripe events a webhook endpoint has to subscribe to: everything that changes what became of money. Others (`charge.succeeded`
 * beside `payment_intent.succeeded`, for instance) say nothing more and cost a question each. At most 20, as many as Stripe's
 * event list takes in one query.
 */
export const NOTICE_TYPES = [
  'payment_intent.processing',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'charge.updated',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'transfer.created',
  'transfer.updated',
  'transfer.reversed',
]

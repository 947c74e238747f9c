export type ErrorFields = {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  param?: string
  decline_code?: string
  charge?: string
  payment_intent?: object
  payment_method?: object
}

/** An answer that is not 2xx, in the shape that every Stripe SDK reads. */
export class StripeError extends Error {
  override readonly name = 'StripeError'
  readonly status: number
  readonly fields: ErrorFields
  readonly headers: Record<string, string>

  constructor(status: number, fields: ErrorFields, headers: Record<string, string> = {}) {
    super(fields.message)
    this.status = status
    this.fields = fields
    this.headers = headers
  }

  body(): { error: ErrorFields & { doc_url?: string } } {
    const { code } = this.fields
    if (code === undefined) return { error: this.fields }
    return { error: { ...this.fields, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` } }
  }
}

export function invalidRequest(message: string, fields: Partial<ErrorFields> = {}): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...fields })
}

export function resourceMissing(kind: string, id: string, param = 'id'): StripeError {
  const message = `No such ${kind}: '${id}'`
  return new StripeError(404, { type: 'invalid_request_error', code: 'resource_missing', message, param })
}

export function internalError(): StripeError {
  const message = 'An unknown error occurred'
  // The result is stored under the key: sending the same key again would only replay it.
  return new StripeError(500, { type: 'api_error', message }, { 'stripe-should-retry': 'false' })
}

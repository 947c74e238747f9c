/**
 * The one error class of the product. `status` is the gRPC status, `code` a stable `noun_problem` name that clients may
 * branch on two hops away, `details` small JSON without personal data.
 */
export type ErrorStatus =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'ABORTED'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'INTERNAL'

export type ErrorDetails = Record<string, unknown>

export class AppError extends Error {
  readonly status: ErrorStatus
  readonly code: string
  readonly details: ErrorDetails

  constructor(status: ErrorStatus, code: string, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AppError'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** One refused field of a request: a dotted path, the rule's id and a sentence. */
export type FieldViolation = { field: string; rule: string; message: string }

const helper =
  (status: ErrorStatus) =>
  (code: string, message: string, details?: ErrorDetails): AppError =>
    new AppError(status, code, message, details)

/** Bad input, whatever the state: 400. */
export const invalid = helper('INVALID_ARGUMENT')
/** No or bad credentials: 401. */
export const unauthenticated = helper('UNAUTHENTICATED')
/** Known, but lacks the right: 403. */
export const denied = helper('PERMISSION_DENIED')
/** Missing or not yours, the same answer: 404. */
export const notFound = helper('NOT_FOUND')
/** Exists already (unique name, key used with another body): 409. */
export const conflict = helper('ALREADY_EXISTS')
/** Lost a race, or the same key is in flight; the caller may retry: 409. */
export const aborted = helper('ABORTED')
/** Right request, wrong state: sold out, coupon spent, illegal transition: 422. */
export const failedPrecondition = helper('FAILED_PRECONDITION')
/** Too many: 429. */
export const exhausted = helper('RESOURCE_EXHAUSTED')
/** A dependency is down; the caller may retry: 503. */
export const unavailable = helper('UNAVAILABLE')

const MAX_FIELDS = 20

/** A request's field violations as one error, `details.fields` lists the first twenty. */
export function invalidFields(violations: FieldViolation[]): AppError {
  const fields = violations.slice(0, MAX_FIELDS)
  return invalid('request_invalid', fields.map((f) => `${f.field}: ${f.message}`).join('; ') || 'invalid request', {
    fields,
  })
}

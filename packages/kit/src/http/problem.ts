import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { AppError, type ErrorDetails, type ErrorStatus } from '../errors.ts'
import { isStoreAway } from '../store-away.ts'
import type { HttpEnv } from './context.ts'

/** A refusal that only exists in HTTP: 404 route, 405, 411, 413, 415. */
export class HttpError extends AppError {
  readonly httpStatus: number
  readonly headers: Record<string, string>

  constructor(
    httpStatus: number,
    code: string,
    message: string,
    details: ErrorDetails = {},
    headers: Record<string, string> = {},
  ) {
    super('INVALID_ARGUMENT', code, message, details)
    this.httpStatus = httpStatus
    this.headers = headers
  }
}

const STATUS: Record<ErrorStatus, number> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  FAILED_PRECONDITION: 422,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
}

const FAILED_DEPENDENCY = new Set<ErrorStatus>(['UNAVAILABLE', 'DEADLINE_EXCEEDED'])
/** The same request may succeed a moment later. */
const HOPEFUL = new Set<ErrorStatus>([...FAILED_DEPENDENCY, 'RESOURCE_EXHAUSTED'])

/** The HTTP status an error leaves with. */
export const httpStatus = (error: AppError): number =>
  error instanceof HttpError ? error.httpStatus : STATUS[error.status]

/**
 * The answer to anything thrown: `{ error: { code, message, details, requestId } }`. What is not an AppError is logged
 * with its stack and leaves as 500 `internal_error` without a word about the cause.
 */
export function errorResponse(thrown: unknown, c: Context<HttpEnv>): Response {
  const call = c.get('call')
  let error = toAppError(thrown)
  if (error?.status === 'CANCELLED' && Date.now() >= call.deadline)
    error = new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', 'the answer took too long')
  if (!error || error.status === 'INTERNAL') {
    call.log.error({ err: thrown }, 'request failed')
    error = new AppError('INTERNAL', 'internal_error', 'something went wrong on our side')
  } else if (FAILED_DEPENDENCY.has(error.status) && error.code !== 'overloaded')
    call.log.warn({ code: error.code, reason: error.message }, 'dependency failed')
  c.error = error
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
  if (error instanceof HttpError) Object.assign(headers, error.headers)
  if (HOPEFUL.has(error.status))
    headers['Retry-After'] ??= String(Math.max(1, Math.ceil(Number(error.details.retryAfterSeconds) || 1)))
  if (error.status === 'UNAUTHENTICATED') headers['WWW-Authenticate'] = 'Bearer'
  const { code, message, details } = error
  const body = JSON.stringify({ error: { code, message, details, requestId: call.requestId } }, (_key, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  return c.body(body, httpStatus(error) as 400, headers)
}

function toAppError(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof HTTPException) {
    if (thrown.status === 415) return unsupportedType()
    if (thrown.status < 500) return new HttpError(thrown.status, 'request_malformed', 'the request cannot be read')
  }
  if (thrown instanceof DOMException) {
    if (thrown.name === 'AbortError') return new AppError('CANCELLED', 'call_cancelled', 'the client went away')
    if (thrown.name === 'TimeoutError')
      return new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', 'the answer took too long')
  }
  if (isStoreAway(thrown)) return new AppError('UNAVAILABLE', 'store_unavailable', 'try again in a moment', {}, thrown)
  return undefined
}

export const unsupportedType = (accepted = 'application/json'): HttpError =>
  new HttpError(415, 'content_type_unsupported', `send ${accepted}`, { accepted })

export const tooLarge = (limitBytes: number): HttpError =>
  new HttpError(413, 'body_too_large', `the body may have ${limitBytes} bytes`, { limitBytes })

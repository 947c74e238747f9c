import { type Metadata, ServerError, Status } from 'nice-grpc-common'
import { AppError, type ErrorDetails, type ErrorStatus } from './errors.ts'

/** Trailer with the stable code and the details, as JSON. */
const TRAILER = 'haat-error-bin'

/** Puts an error's code and details in the trailers and answers what the wire needs. Unknown errors stay opaque. */
export function toServerError(error: AppError, trailer: Metadata): ServerError {
  trailer.set(TRAILER, Buffer.from(JSON.stringify({ code: error.code, details: error.details })))
  return new ServerError(Status[error.status] as Status, error.message)
}

/** The error a neighbour answered, as it was thrown there. */
export function fromClientError(status: number, message: string, trailer: Metadata | undefined): AppError {
  const name = (Status[status] ?? 'INTERNAL') as ErrorStatus
  const raw = trailer?.get(TRAILER)
  if (raw instanceof Uint8Array) {
    const { code, details } = JSON.parse(Buffer.from(raw).toString('utf8')) as { code: string; details: ErrorDetails }
    return new AppError(name, code, message, details)
  }
  return new AppError(name, name === 'UNAVAILABLE' ? 'service_unavailable' : `rpc_${name.toLowerCase()}`, message)
}

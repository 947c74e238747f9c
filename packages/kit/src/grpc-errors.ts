import { type Metadata, ServerError, Status } from 'nice-grpc-common'
import { AppError, type ErrorDetails, type ErrorStatus } from './errors.ts'

/** Trailer with the stable code and the details, as JSON. */
const TRAILER = 'haat-error-bin'
/** Trailers beyond some 48 KiB end the whole connection, with every call on it. */
const MAX_DETAILS_BYTES = 8 * 1024
const MAX_MESSAGE_LENGTH = 1_000

/**
 * Puts an error's code and details in the trailers and answers what the wire needs. Unknown errors stay opaque; details that are
 * too large stay here, and a long message is cut.
 */
export function toServerError({ code, details, status, message }: AppError, trailer: Metadata): ServerError {
  let json = Buffer.from(JSON.stringify({ code, details }))
  if (json.byteLength > MAX_DETAILS_BYTES) json = Buffer.from(JSON.stringify({ code, details: {} }))
  trailer.set(TRAILER, json)
  return new ServerError(Status[status] as Status, message.slice(0, MAX_MESSAGE_LENGTH))
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

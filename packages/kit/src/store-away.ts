import { AppError } from './errors.ts'
import { isStalePlan } from './prepared.ts'

// Sockets: refused, cut, not found.
const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])
// PostgreSQL: connection failures, no connection left, starting, shutting down, waited too long for a statement or a lock, gave
// way to another transaction.
const POSTGRES = /^(08...|53300|57P0[1-5]|57014|55P03|25P03|40001|40P01)$/
const DRIVER =
  /^(Mongo(Network|NetworkTimeout|ServerSelection|PoolCleared|NotConnected|TopologyClosed|WaitQueueTimeout)Error|PoolClearedOnNetworkError|MaxRetriesPerRequestError)$/
// The drivers of PostgreSQL and Redis give these neither a code nor a class of their own.
const SENTENCE =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client (has encountered|was closed)|Query read timeout|Connection is closed|Command timed out|Stream isn't writeable)/

/**
 * True when an error says that a store does not answer, or not this time: refused, cut off, shutting down, too slow, migrated
 * a moment ago, given way to somebody else. Whether a write was done all the same is not known then.
 */
export function isStoreAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, cause, errorResponse } = error as Error & { code?: unknown; errorResponse?: unknown }
  if (typeof code === 'string' && (SOCKET.has(code) || POSTGRES.test(code))) return true
  if (isStalePlan(error)) return true
  if (DRIVER.test(error.name) || SENTENCE.test(error.message)) return true
  // MongoDB's bulk writes hide there what has happened.
  return isStoreAway(cause) || isStoreAway(errorResponse)
}

/** True when a store or a neighbour was away: nobody's mistake, and worth trying again for as long as that takes. */
export const isOutage = (error: unknown): boolean =>
  error instanceof AppError ? error.status === 'UNAVAILABLE' : isStoreAway(error)

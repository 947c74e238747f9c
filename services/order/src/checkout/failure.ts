import { AppError } from '@haat/kit/errors'

const REFUSALS = new Set([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'PERMISSION_DENIED',
])

/** True when a neighbour said no, so that asking again is no use; anything else may have had its effect, or may yet. */
export const isRefusal = (error: unknown): error is AppError => error instanceof AppError && REFUSALS.has(error.status)

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof AppError && codes.includes(error.code)

/** A failure for the record: a code, never a message that may hold personal data. */
export const describeFailure = (error: unknown): string => {
  if (error instanceof AppError) return error.code
  return error instanceof Error ? error.name : typeof error
}

import { invalid } from '@haat/kit/errors'
import { decodeCursor } from '@haat/kit/page'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** An id out of a page token. INVALID_ARGUMENT `page_token_invalid` when it is none, instead of a database error. */
export function cursorId(value: unknown): string {
  if (typeof value === 'string' && uuid.test(value)) return value
  throw invalid('page_token_invalid', 'the page token is not one this list gave out')
}

/** The last row's id in the page token of a list that is sorted by id; undefined for the first page. */
export function idCursor(token: string): string | undefined {
  const values = decodeCursor(token, 1)
  return values && cursorId(values[0])
}

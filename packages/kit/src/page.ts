import { invalid } from './errors.ts'

const DEFAULT_SIZE = 20
const MAX_SIZE = 100

/** The page size to use for a request's `page_size`: 0 is the default, more than 100 is 100. */
export const pageSize = (requested: number): number => (requested <= 0 ? DEFAULT_SIZE : Math.min(requested, MAX_SIZE))

type CursorValue = string | number | null

/** An opaque page token out of the last row's sort values. */
export const encodeCursor = (values: CursorValue[]): string => Buffer.from(JSON.stringify(values)).toString('base64url')

/** The sort values of a page token; undefined for the first page. INVALID_ARGUMENT `page_token_invalid` otherwise. */
export function decodeCursor(token: string, length: number): CursorValue[] | undefined {
  if (token === '') return undefined
  try {
    const values = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown
    if (
      Array.isArray(values) &&
      values.length === length &&
      values.every((v) => v === null || typeof v === 'string' || typeof v === 'number')
    )
      return values as CursorValue[]
  } catch {
    // Falls through to the refusal below.
  }
  throw invalid('page_token_invalid', 'the page token is not one this list gave out')
}

/**
 * Cuts a page out of `size + 1` rows: the items, and the token of the next page when there is one.
 */
export function toPage<Row>(
  rows: Row[],
  size: number,
  cursor: (last: Row) => CursorValue[],
): { items: Row[]; nextPageToken: string } {
  const items = rows.slice(0, size)
  const last = items.at(-1)
  return { items, nextPageToken: rows.length > size && last !== undefined ? encodeCursor(cursor(last)) : '' }
}

import { invalid } from '@haat/kit/errors'
import { decodeCursor } from '@haat/kit/page'

type Value = string | number | Date
/** A list's order: by a field, if there is one, then by id. Ids are UUIDv7, so their order is that of creation. */
export type Order = { field?: 'rating' | 'waitingSince'; direction: 1 | -1; ids: 1 | -1 }

export const newestFirst: Order = { direction: -1, ids: -1 }
export const highestFirst: Order = { field: 'rating', direction: -1, ids: -1 }
export const lowestFirst: Order = { field: 'rating', direction: 1, ids: -1 }
export const longestWaitFirst: Order = { field: 'waitingSince', direction: 1, ids: 1 }

export const sortOf = ({ field, direction, ids }: Order): Record<string, 1 | -1> => ({
  ...(field ? { [field]: direction } : {}),
  _id: ids,
})

type Sorted = { _id: string; rating: number; waitingSince: Date | null }

/** A row's values in a page token. */
export const cursorOf =
  ({ field }: Order) =>
  (row: Sorted): (string | number)[] =>
    field === 'rating' ? [row.rating, row._id] : field ? [row.waitingSince!.toISOString(), row._id] : [row._id]

/** What comes after the page that ended with this token; nothing to add for the first page. */
export function afterToken(token: string, order: Order): object {
  const { field } = order
  const values = decodeCursor(token, field ? 2 : 1)
  if (!values) return {}
  const beyondId = { _id: { [order.ids === 1 ? '$gt' : '$lt']: String(values.at(-1)) } }
  if (!field) return beyondId
  const value = field === 'rating' ? Number(values[0]) : new Date(String(values[0]))
  if (Number.isNaN(value.valueOf())) throw invalid('page_token_invalid', 'the page token is not one this list gave out')
  return after(field, value, order.direction, beyondId)
}

const after = (field: string, value: Value, direction: 1 | -1, beyondId: object) => ({
  $or: [{ [field]: { [direction === 1 ? '$gt' : '$lt']: value } }, { [field]: value, ...beyondId }],
})

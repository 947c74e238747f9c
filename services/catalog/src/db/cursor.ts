import { invalid } from '@haat/kit/errors'
import { decodeCursor } from '@haat/kit/page'

/** How a sorted field travels in a page token. */
export const codecs = {
  text: { write: (value: string) => value, read: (text: string) => text },
  date: {
    write: (value: Date) => value.toISOString(),
    read(text: string) {
      const date = new Date(text)
      if (Number.isNaN(date.getTime())) throw new SyntaxError('no date')
      return date
    },
  },
  bigint: { write: (value: bigint) => value.toString(), read: (text: string) => BigInt(text) },
  number: { write: (value: number) => String(value), read: (text: string) => Number(text) },
} as const

export type Order = { field: string; direction: 1 | -1; codec: keyof typeof codecs }

/** The sort of a list that is ordered by a field, then by id. */
export const sortOf = ({ field, direction }: Order) =>
  ({ [field]: direction, _id: direction }) as Record<string, 1 | -1>

/** What comes after the page that ended with this token; nothing to add for the first page. */
export function afterToken(token: string, { field, direction, codec }: Order): object {
  const values = decodeCursor(token, 2)
  if (!values) return {}
  const beyond = direction === 1 ? '$gt' : '$lt'
  try {
    const value = codecs[codec].read(String(values[0]))
    return { $or: [{ [field]: { [beyond]: value } }, { [field]: value, _id: { [beyond]: String(values[1]) } }] }
  } catch {
    throw invalid('page_token_invalid', 'the page token is not one this list gave out')
  }
}

/** The token values of a row. */
export const cursorOf = (order: Order, row: { _id: string }): [string, string] => {
  const value = (row as unknown as Record<string, never>)[order.field]!
  return [codecs[order.codec].write(value), row._id]
}

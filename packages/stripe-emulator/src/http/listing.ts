import type { Call, Context } from '../context.ts'
import { ownerOf, type TableName, type Tables } from '../store/store.ts'
import { integer, type Param, readParams, text } from './params.ts'
import { resourceMissing } from './stripe-error.ts'

type Range = { gt?: number | undefined; gte?: number | undefined; lt?: number | undefined; lte?: number | undefined }

export type ListParams = {
  limit?: number | undefined
  starting_after?: string | undefined
  ending_before?: string | undefined
  created?: Range | undefined
}

export type List<T> = { object: 'list'; url: string; has_more: boolean; data: T[] }

/** The parameters that every list takes. */
export const listShape = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
  created: range(),
}

/** Newest first, only what belongs to the calling account. */
export function listPage<N extends TableName>(
  ctx: Context,
  call: Call,
  table: N,
  params: ListParams,
  matches: (row: Tables[N]) => boolean = () => true,
): List<Tables[N]> {
  const rows = [...ctx.store.tables[table].values()]
    .reverse()
    .filter((row) => ownerOf(ctx.store, row.id) === call.account && within(row.created, params.created) && matches(row))
  const limit = params.limit ?? 10
  const positionOf = (id: string, param: string) => {
    const index = rows.findIndex((row) => row.id === id)
    if (index < 0) throw resourceMissing(rows[0]?.object ?? 'object', id, param)
    return index
  }

  if (params.ending_before !== undefined) {
    const end = positionOf(params.ending_before, 'ending_before')
    const start = Math.max(0, end - limit)
    return { object: 'list', url: call.path, has_more: start > 0, data: rows.slice(start, end) }
  }
  const start = params.starting_after === undefined ? 0 : positionOf(params.starting_after, 'starting_after') + 1
  return {
    object: 'list',
    url: call.path,
    has_more: rows.length > start + limit,
    data: rows.slice(start, start + limit),
  }
}

function range(): Param<Range> {
  const bounds = { gt: integer(), gte: integer(), lt: integer(), lte: integer() }
  return {
    read: (raw, name) => {
      if (raw instanceof Map) return readParams(raw, bounds, name)
      const moment = integer().read(raw, name)
      return { gte: moment, lte: moment }
    },
  }
}

function within(value: number, { gt, gte, lt, lte }: Range = {}): boolean {
  return (
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  )
}

import { invalid } from '@haat/kit/errors'
import type { RestockRequest, RestockResponse } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { restockOnce } from '../db/restocks.ts'
import { duplicateSku } from '../domain/stock.ts'

export async function restock(ctx: InventoryContext, request: RestockRequest): Promise<RestockResponse> {
  const twice = duplicateSku(request.lines)
  if (twice) throw invalid('lines_duplicate', `${twice} occurs twice`, { sku: twice })
  const applied = await ctx.db.transaction().execute((tx) => restockOnce(tx, request))
  return { applied }
}

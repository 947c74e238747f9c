import type { Call } from '@haat/kit/call'
import type { StockDifference, VerifyStockRequest, VerifyStockResponse } from '@haat/proto/inventory/v1/inventory'
import { sql } from 'kysely'
import type { InventoryContext } from '../context.ts'
import { scopeOf } from './scope.ts'

const MAX_DIFFERENCES = 100

export async function verifyStock(
  ctx: InventoryContext,
  request: VerifyStockRequest,
  call: Call,
): Promise<VerifyStockResponse> {
  const vendorId = scopeOf(call, request.vendorId) ?? null
  const sku = request.sku ?? null
  const { rows } = await sql<StockDifference & { total: number }>`
    with checked as (
      select i.sku,
             i.vendor_id as "vendorId",
             i.quantity_on_hand as "onHand",
             coalesce((select sum(m.delta) from stock_movements m where m.sku = i.sku), 0)::int as "movementsSum",
             i.quantity_reserved as reserved,
             coalesce((select sum(r.qty) from reservations r where r.sku = i.sku and r.state = 'held'), 0)::int as "heldSum"
        from inventory i
       where (${vendorId}::uuid is null or i.vendor_id = ${vendorId}::uuid)
         and (${sku}::text is null or i.sku = ${sku}::text)
    )
    select c.*, t.total
      from (select count(*)::int as total from checked) t
      left join lateral (
        select * from checked
         where "onHand" <> "movementsSum" or reserved <> "heldSum"
         order by sku limit ${MAX_DIFFERENCES}
      ) c on true`.execute(ctx.db)
  return {
    checked: rows[0]?.total ?? 0,
    differences: rows.filter((row) => row.sku !== null).map(({ total: _, ...difference }) => difference),
  }
}

import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListCouponsRequest, ListCouponsResponse } from '@haat/proto/promotion/v1/promotion'
import { sql } from 'kysely'
import type { PromotionContext } from '../context.ts'
import { toCoupon, withScopes } from '../db/coupons.ts'
import { normalCode } from '../domain/coupon.ts'

export async function listCoupons(
  ctx: PromotionContext,
  request: ListCouponsRequest,
  call: Call,
): Promise<ListCouponsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const vendorId = isStaff(call, 'coupons.read') ? request.vendorId : requireVendor(call, request.vendorId)
  const now = ctx.now()
  let query = ctx.db
    .selectFrom('coupons')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (vendorId) query = query.where('vendor_id', '=', vendorId)
  if (request.query) query = query.where(sql<boolean>`starts_with(code, ${normalCode(request.query)})`)
  if (request.activeOnly)
    query = query
      .where('is_active', '=', true)
      .where((e) => e.or([e('starts_at', 'is', null), e('starts_at', '<=', now)]))
      .where((e) => e.or([e('ends_at', 'is', null), e('ends_at', '>', now)]))
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  const coupons = await withScopes(ctx.db, page.items)
  return { coupons: coupons.map(toCoupon), nextPageToken: page.nextPageToken }
}

import type { BatchGetVendorsRequest, BatchGetVendorsResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toPublicVendor } from '../db/vendors.ts'

export async function batchGetVendors(
  ctx: VendorContext,
  request: BatchGetVendorsRequest,
): Promise<BatchGetVendorsResponse> {
  const rows = await ctx.db.selectFrom('vendors').selectAll().where('id', 'in', request.vendorIds).execute()
  return { vendors: rows.map(toPublicVendor) }
}

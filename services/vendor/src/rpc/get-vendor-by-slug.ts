import type { GetVendorBySlugRequest, GetVendorBySlugResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toPublicVendor, vendorNotFound } from '../db/vendors.ts'

export async function getVendorBySlug(
  ctx: VendorContext,
  request: GetVendorBySlugRequest,
): Promise<GetVendorBySlugResponse> {
  const row = await ctx.db
    .selectFrom('vendors')
    .selectAll()
    .where('slug', '=', request.slug)
    .where('status', '=', 'active')
    .executeTakeFirst()
  if (!row) throw vendorNotFound()
  return { vendor: toPublicVendor(row) }
}

import type { Call } from '@haat/kit/call'
import type { GetVendorRequest, GetVendorResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { getVendorRow, toVendor } from '../db/vendors.ts'
import { requireMember } from './access.ts'

export async function getVendor(ctx: VendorContext, request: GetVendorRequest, call: Call): Promise<GetVendorResponse> {
  await requireMember(ctx, call, request.vendorId, { staff: 'vendors.read', services: true })
  const [vendor, rules] = await Promise.all([getVendorRow(ctx.db, request.vendorId), ctx.rules.current()])
  return { vendor: toVendor(vendor, rules) }
}

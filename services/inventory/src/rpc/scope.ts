import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'

/** Whose stock a list may show: the named vendor's, the caller's own, or (undefined) everybody's for staff. */
export const scopeOf = (call: Call, vendorId: string | undefined): string | undefined =>
  isStaff(call, 'inventory.read') ? vendorId : requireVendor(call, vendorId)

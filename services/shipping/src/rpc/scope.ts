import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'

/** True for staff with the platform permission and for members of this vendor with the vendor permission. */
export function mayTouch(call: Call, vendorId: string | null, permission: string, inVendor: string): boolean {
  if (isStaff(call, permission)) return true
  const { vendorId: own, vendorPermissions } = call.caller
  return (
    own !== undefined && own === vendorId && (vendorPermissions.includes('*') || vendorPermissions.includes(inVendor))
  )
}

/** Whose rows a list may show: the named vendor's, the caller's own, or (undefined) everybody's for staff. */
export const scopeOf = (call: Call, vendorId: string | undefined): string | undefined =>
  isStaff(call, 'shipping.read') ? vendorId : requireVendor(call, vendorId)

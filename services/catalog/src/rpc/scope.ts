import { isEdge } from '@haat/kit/auth'
import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import type { AppError } from '@haat/kit/errors'

/** A service on nobody's behalf. BFFs are none: they ask for guests too, who must not see what the storefront hides. */
export const isService = (call: Call): boolean =>
  call.service !== undefined && !isEdge(call.service) && call.caller.kind !== 'user'

/** Sees a product whatever its state: its vendor's members, services and staff. */
export const isInsider = (call: Call, vendorId: string): boolean =>
  call.caller.vendorId === vendorId ||
  isService(call) ||
  isStaff(call, 'catalog.read', 'catalog.review', 'catalog.write')

/** Refuses whoever is neither of the vendor nor staff with the permission, as if the object were not there. */
export function requireOwner(call: Call, vendorId: string, permission: string, missing: AppError): void {
  if (call.caller.vendorId !== vendorId && !isStaff(call, permission)) throw missing
}

/** Whose products a list may show: the named vendor's, the caller's own, or (undefined) everybody's for staff and services. */
export const scopeOf = (call: Call, vendorId: string | undefined, ...permissions: string[]): string | undefined =>
  isService(call) || isStaff(call, ...permissions) ? vendorId : requireVendor(call, vendorId)

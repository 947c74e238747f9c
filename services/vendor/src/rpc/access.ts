import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { denied } from '@haat/kit/errors'
import type { VendorContext } from '../context.ts'
import { findMembership, vendorNotFound } from '../db/vendors.ts'

/** A Haat service on nobody's behalf. On a person's behalf it may do what that person may. */
const isService = ({ caller }: Call): boolean => caller.kind === 'service' && caller.isInternal

/** Who did something, for the books: a person's id, or the name of a service account. */
export const actorOf = (call: Call): string => call.caller.id

/**
 * Lets a member of the vendor, with the permission if one is named, or staff pass; an applicant's token names no vendor,
 * so the members' table decides. NOT_FOUND `vendor_not_found` for anybody else.
 */
export async function requireMember(
  ctx: VendorContext,
  call: Call,
  vendorId: string,
  allow: { permission?: string; owner?: boolean; staff?: string; services?: boolean },
): Promise<void> {
  if (allow.staff && isStaff(call, allow.staff)) return
  if (allow.services && isService(call)) return
  if (call.caller.kind !== 'user') throw vendorNotFound()
  const member = await findMembership(ctx.db, call.caller.id)
  if (member?.vendor_id !== vendorId) throw vendorNotFound()
  if (member.is_owner) return
  if (allow.owner || (allow.permission && !member.permissions.includes(allow.permission))) throw vendorNotFound()
}

/**
 * Whose rows a list may show: the named vendor's, or (undefined) everybody's for staff and services; a member's own vendor.
 * A service that came along opens nothing for the person it works for, so the permission is checked here again.
 */
export function scopeOf(
  call: Call,
  vendorId: string | undefined,
  permission: string,
  staff: string[],
): string | undefined {
  if (isService(call) || isStaff(call, ...staff)) return vendorId
  const { vendorId: own, vendorPermissions } = call.caller
  if (!own || (vendorId && vendorId !== own)) throw vendorNotFound()
  if (permission && !vendorPermissions.includes('*') && !vendorPermissions.includes(permission))
    throw denied('permission_missing', 'you may not do this', { permissions: [permission] })
  return own
}

/** Like `scopeOf` for a request that always names its vendor. */
export function requireScope(call: Call, vendorId: string, permission: string, staff: string[]): string {
  return scopeOf(call, vendorId, permission, staff) ?? vendorId
}

/** For lists that are not a vendor's business: staff, and services on nobody's behalf. */
export function requireStaffOrService(call: Call, ...staff: string[]): void {
  if (isService(call) || isStaff(call, ...staff)) return
  throw denied('permission_missing', 'you may not do this', { permissions: staff })
}

import { isEdge } from './auth.ts'
import type { Call } from './call.ts'
import { camelCase, type Rule } from './descriptors.ts'
import { denied, notFound, unauthenticated } from './errors.ts'

/**
 * Enforces an RPC's rule: passes when any of its alternatives holds. Otherwise UNAUTHENTICATED `login_required` for an
 * anonymous caller, NOT_FOUND `vendor_not_found` for a member of another vendor, PERMISSION_DENIED `permission_missing`.
 */
export function authorize(rule: Rule, call: Call, request: unknown): void {
  const { caller } = call
  if (rule.public) return
  if (rule.service && call.service !== undefined && !isEdge(call.service)) return
  if (rule.authenticated && caller.kind === 'user') return
  if (caller.kind !== 'anonymous') {
    if (rule.roles.some((role) => caller.roles.includes(role))) return
    if (rule.permissions.some((permission) => caller.permissions.includes(permission))) return
    if (rule.vendor && caller.vendorId && mayInVendor(caller.vendorPermissions, rule.vendor.permission)) {
      const wanted = rule.vendor.field ? read(request, rule.vendor.field) : undefined
      if (wanted === undefined || wanted === '' || wanted === caller.vendorId) return
      throw notFound('vendor_not_found', 'no such vendor')
    }
  }
  if (caller.kind === 'anonymous') throw unauthenticated('login_required', 'sign in first')
  throw denied('permission_missing', 'you may not do this', {
    ...(rule.permissions.length ? { permissions: rule.permissions } : {}),
  })
}

const mayInVendor = (held: readonly string[], needed: string) =>
  needed === '' || held.includes('*') || held.includes(needed)

function read(request: unknown, path: string): unknown {
  let value = request
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[camelCase(part)]
  return value
}

/** True when the caller holds a platform permission (staff) or the request came from a service on nobody's behalf. */
export const isStaff = (call: Call, ...permissions: string[]): boolean =>
  permissions.some((permission) => call.caller.permissions.includes(permission))

/**
 * The vendor a vendor-scoped request works for: the caller's own, or the named one for staff and services. NOT_FOUND when
 * the object belongs to another vendor.
 */
export function requireVendor(call: Call, vendorId: string | undefined, staffPermissions: string[] = []): string {
  const own = call.caller.vendorId
  if (vendorId && call.caller.kind === 'service' && call.caller.isInternal) return vendorId
  if (vendorId && isStaff(call, ...staffPermissions)) return vendorId
  if (own && (!vendorId || vendorId === own)) return own
  throw notFound('vendor_not_found', 'no such vendor')
}

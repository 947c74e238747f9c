import { listServices, ruleOf } from '@haat/kit/descriptors'

/** Every platform permission any contract names, sorted. */
export function contractPermissions(): string[] {
  const keys = new Set<string>()
  for (const service of listServices())
    for (const method of service.methods) for (const key of ruleOf(method)?.permissions ?? []) keys.add(key)
  return [...keys].sort()
}

const SUPPORT = new Set(['orders.write', 'reviews.moderate', 'catalog.review', 'messages.write'])
const CONFIDENTIAL = new Set(['ledger.read', 'payouts.read'])

/** What the role `staff` starts with: reading (not the books), and the daily work of support. */
export const isStaffDefault = (key: string): boolean =>
  (key.endsWith('.read') && !CONFIDENTIAL.has(key)) || SUPPORT.has(key)

export type Membership = { vendorId: string; permissions: readonly string[] }

export const OWNER = '*'
export const isOwner = (membership: Pick<Membership, 'permissions'> | undefined): boolean =>
  membership?.permissions.includes(OWNER) ?? false

/**
 * The vendor a token speaks for, out of the active vendors a person works for: an own one first, then the one it was, then
 * the oldest (ids sort by time).
 */
export function chooseVendor(memberships: readonly Membership[], current: string | null): Membership | undefined {
  const rank = (m: Membership) => (isOwner(m) ? 0 : 2) + (m.vendorId === current ? 0 : 1)
  return [...memberships].sort((a, b) => rank(a) - rank(b) || (a.vendorId < b.vendorId ? -1 : 1))[0]
}

export type VendorStatusName = 'pending' | 'active' | 'suspended' | 'rejected'

/** Where a vendor may go from each status. */
export const transitions: Record<VendorStatusName, readonly VendorStatusName[]> = {
  pending: ['active', 'rejected'],
  active: ['suspended'],
  suspended: ['active', 'rejected'],
  rejected: ['pending'],
}

export const mayMove = (from: VendorStatusName, to: VendorStatusName): boolean => transitions[from].includes(to)

/** KYC is complete when a document is accepted and none waits for its decision. */
export const kycComplete = (statuses: readonly ('pending' | 'accepted' | 'rejected')[]): boolean =>
  statuses.includes('accepted') && !statuses.includes('pending')

import { aborted, failedPrecondition } from '@haat/kit/errors'
import type { Product } from '../domain/product.ts'

/** Refuses a decision on a product of which nothing waits, or on a change request that is not the open one. */
export function requireWaiting(product: Product, changeRequestId: string | undefined): void {
  if (product.status !== 'pending' && !product.openChangeRequest)
    throw failedPrecondition('approval_not_pending', 'nothing waits for a decision')
  if (product.openChangeRequest?._id !== changeRequestId)
    throw aborted('change_request_conflict', 'this is not what waits for a decision')
}

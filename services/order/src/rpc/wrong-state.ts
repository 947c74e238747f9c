import { type AppError, failedPrecondition } from '@haat/kit/errors'
import type { VendorOrderStatus } from '../domain/vendor-order-state.ts'

export const wrongState = (status: VendorOrderStatus): AppError =>
  failedPrecondition('vendor_order_state_invalid', `the vendor order is ${status.replace('_', ' ')}`, { status })

import type { RpcTable } from '@haat/kit/grpc-server'
import type { OrderServiceImplementation } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { acceptVendorOrder } from './accept-vendor-order.ts'
import { cancelOrder } from './cancel-order.ts'
import { cancelVendorOrder } from './cancel-vendor-order.ts'
import { getOrder } from './get-order.ts'
import { getTimeline } from './get-timeline.ts'
import { getVendorOrder } from './get-vendor-order.ts'
import { hasPurchased } from './has-purchased.ts'
import { listMyOrderSummaries } from './list-my-order-summaries.ts'
import { listMyOrders } from './list-my-orders.ts'
import { listOrders } from './list-orders.ts'
import { listVendorOrders } from './list-vendor-orders.ts'
import { placeOrder } from './place-order.ts'
import { quoteTax } from './quote-tax.ts'
import { refundLines } from './refund-lines.ts'
import { updateFulfilment } from './update-fulfilment.ts'

export const rpc: RpcTable<OrderContext, OrderServiceImplementation> = {
  acceptVendorOrder,
  cancelOrder,
  cancelVendorOrder,
  getOrder,
  getTimeline,
  getVendorOrder,
  hasPurchased,
  listMyOrderSummaries,
  listMyOrders,
  listOrders,
  listVendorOrders,
  placeOrder,
  quoteTax,
  refundLines,
  updateFulfilment,
}

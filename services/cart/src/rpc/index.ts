import type { RpcTable } from '@haat/kit/grpc-server'
import type { CartServiceImplementation } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { addItem } from './add-item.ts'
import { applyCoupon } from './apply-coupon.ts'
import { clearCart } from './clear-cart.ts'
import { getCart } from './get-cart.ts'
import { mergeCart } from './merge-cart.ts'
import { removeCoupon } from './remove-coupon.ts'
import { removeItem } from './remove-item.ts'
import { reorderFrom } from './reorder-from.ts'
import { summarize } from './summarize.ts'
import { summarizeForUser } from './summarize-for-user.ts'
import { updateItem } from './update-item.ts'

export const rpc: RpcTable<CartContext, CartServiceImplementation> = {
  addItem,
  applyCoupon,
  clearCart,
  getCart,
  mergeCart,
  removeCoupon,
  removeItem,
  reorderFrom,
  summarize,
  summarizeForUser,
  updateItem,
}

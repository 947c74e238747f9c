import type { Call } from '@haat/kit/call'
import type { RemoveItemRequest, RemoveItemResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, ownerOf, toCart } from '../db/carts.ts'
import { qtyOf, removeSkus } from '../domain/cart.ts'

export async function removeItem(
  ctx: CartContext,
  request: RemoveItemRequest,
  call: Call,
): Promise<RemoveItemResponse> {
  const { sku } = request
  const owner = ownerOf(request, call)
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) =>
      qtyOf(before, sku) === 0
        ? undefined
        : { contents: removeSkus(before, [sku]), touched: true, note: { type: 'item_removed', data: { sku } } },
  )
  return { cart: toCart(cart) }
}

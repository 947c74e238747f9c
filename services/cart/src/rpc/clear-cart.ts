import type { Call } from '@haat/kit/call'
import type { ClearCartRequest, ClearCartResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, ownerOf, toCart } from '../db/carts.ts'
import { nothing } from '../domain/cart.ts'

export async function clearCart(ctx: CartContext, request: ClearCartRequest, call: Call): Promise<ClearCartResponse> {
  const owner = ownerOf(request, call)
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) =>
      before.items.length === 0 && before.couponCodes.length === 0
        ? undefined
        : { contents: nothing, touched: true, note: { type: 'cleared', data: { lines: before.items.length } } },
  )
  return { cart: toCart(cart) }
}

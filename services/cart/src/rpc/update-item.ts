import type { Call } from '@haat/kit/call'
import type { UpdateItemRequest, UpdateItemResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, ownerOf, readCart, toCart } from '../db/carts.ts'
import { insufficient, qtyOf, setQty } from '../domain/cart.ts'
import { findStock } from './goods.ts'

export async function updateItem(
  ctx: CartContext,
  request: UpdateItemRequest,
  call: Call,
): Promise<UpdateItemResponse> {
  const { sku, qty } = request
  const owner = ownerOf(request, call)
  const known = await readCart(ctx, owner)
  setQty(known, sku, qty)
  const available = (await findStock(ctx, [sku])).get(sku) ?? 0
  if (qty > available) throw insufficient(sku, available)
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) =>
      qtyOf(before, sku) === qty
        ? undefined
        : { contents: setQty(before, sku, qty), touched: true, note: { type: 'item_updated', data: { sku, qty } } },
    known,
  )
  return { cart: toCart(cart) }
}

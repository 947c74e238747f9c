import type { Call } from '@haat/kit/call'
import { failedPrecondition, notFound } from '@haat/kit/errors'
import type { AddItemRequest, AddItemResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, createAnonymousCart, lookForCart, openCart, ownerOf, toCart } from '../db/carts.ts'
import { addUnits, insufficient } from '../domain/cart.ts'
import { findStock, findVariants, toNewItem } from './goods.ts'

export async function addItem(ctx: CartContext, request: AddItemRequest, call: Call): Promise<AddItemResponse> {
  const { sku, qty } = request
  const named = ownerOf(request, call)
  const [known, variants, stock] = await Promise.all([
    named ? lookForCart(ctx, named) : undefined,
    findVariants(ctx, [sku]),
    findStock(ctx, [sku]),
  ])
  const variant = variants.get(sku)
  if (!variant) throw notFound('variant_not_found', 'no such SKU', { sku })
  if (!variant.sellable) throw failedPrecondition('variant_unavailable', 'this is not on sale', { sku })
  const available = stock.get(sku) ?? 0
  // Nobody gets a cart for a wish that cannot be granted even to an empty one.
  if (qty > available) throw insufficient(sku, available)
  const created = named ? undefined : await createAnonymousCart(ctx)
  const owner = named ?? created?.owner
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) => ({
      contents: addUnits(before, toNewItem(variant, qty), variant.price!.currency, available),
      touched: true,
      note: { type: 'item_added', data: { sku, qty, price: variant.price!.minor } },
    }),
    known ?? created?.cart,
  )
  return { cart: { ...toCart(cart), cartToken: created?.token } }
}

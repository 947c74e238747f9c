import { type Call, requireUser } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { ReorderFromRequest, ReorderFromResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, toCart, userOwner } from '../db/carts.ts'
import { addWishes, type Skipped, type Wish } from '../domain/cart.ts'
import { findStock, findVariants, toNewItem } from './goods.ts'

export async function reorderFrom(
  ctx: CartContext,
  request: ReorderFromRequest,
  call: Call,
): Promise<ReorderFromResponse> {
  const userId = requireUser(call)
  const { order } = await ctx.order.getOrder({ orderNo: request.orderNo })
  // Order answers services about anybody's order, so whose it is is decided here.
  if (order?.userId !== userId) throw notFound('order_not_found', 'no such order')
  const ordered = new Map<string, { title: string; qty: number }>()
  for (const { sku, title, qty } of order.vendorOrders.flatMap((vendorOrder) => vendorOrder.items))
    ordered.set(sku, { title, qty: (ordered.get(sku)?.qty ?? 0) + qty })
  const skus = [...ordered.keys()]
  const [variants, stock] = await Promise.all([findVariants(ctx, skus), findStock(ctx, skus)])

  const unknown: Skipped[] = []
  const wishes: Wish[] = []
  for (const [sku, { title, qty }] of ordered) {
    const variant = variants.get(sku)
    if (!variant) unknown.push({ sku, title, qty, reason: 'variant_unavailable' })
    else
      wishes.push({
        item: toNewItem(variant, qty),
        currency: variant.price!.currency,
        sellable: variant.sellable,
        available: stock.get(sku) ?? 0,
      })
  }
  let skipped: Skipped[] = []
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, userOwner(userId)),
    (before) => {
      const result = addWishes(before, wishes)
      skipped = result.skipped
      if (result.cart === before) return undefined
      return {
        contents: result.cart,
        touched: true,
        note: { type: 'reordered', data: { orderNo: request.orderNo, skipped: result.skipped.length } },
      }
    },
  )
  return { cart: toCart(cart), skipped: [...unknown, ...skipped] }
}

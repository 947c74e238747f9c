import type { Event } from '@haat/kit/events/envelope'
import type { ProductApproved, ProductArchived, ProductUpdated } from '@haat/proto/catalog/v1/events'
import type { CartContext } from '../context.ts'
import { changeIfThere } from '../db/carts.ts'
import { removeSkus } from '../domain/cart.ts'
import { findVariants } from '../rpc/goods.ts'

const AT_ONCE = 8

/**
 * Drops lines that cannot be sold any more. The event may be old by now, so what it calls dead is looked up before a
 * customer loses a line.
 */
export async function onProductChanged(
  ctx: CartContext,
  { data }: Event<Pick<ProductUpdated | ProductApproved, 'skus' | 'sellableSkus'>>,
): Promise<void> {
  const dead = data.skus.filter((sku) => !data.sellableSkus.includes(sku))
  if (dead.length === 0 || !(await ctx.db.carts.findOne({ 'items.sku': { $in: dead } }))) return
  const variants = await findVariants(ctx, dead)
  await dropLines(
    ctx,
    dead.filter((sku) => !variants.get(sku)?.sellable),
    'not_on_sale',
  )
}

/** Drops the lines of a product that is off sale for good. */
export const onProductArchived = (ctx: CartContext, { data }: Event<ProductArchived>): Promise<void> =>
  dropLines(ctx, data.skus, 'archived')

/** Takes these SKUs out of every cart; a repeat goes on where an earlier run was cut off. */
async function dropLines(ctx: CartContext, skus: string[], reason: string): Promise<void> {
  if (skus.length === 0) return
  const drop = (cartId: string) =>
    changeIfThere(ctx, { _id: cartId }, (before) =>
      before.items.some((item) => skus.includes(item.sku))
        ? { contents: removeSkus(before, skus), note: { type: 'lines_dropped', data: { skus, reason } } }
        : undefined,
    )
  const found = ctx.db.carts.find({ 'items.sku': { $in: skus } }, { projection: { _id: 1 } })
  let batch: string[] = []
  for await (const { _id } of found) {
    batch.push(_id)
    if (batch.length < AT_ONCE) continue
    await Promise.all(batch.map(drop))
    batch = []
  }
  await Promise.all(batch.map(drop))
}

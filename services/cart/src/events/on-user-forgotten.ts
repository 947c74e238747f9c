import type { Event } from '@haat/kit/events/envelope'
import type { UserForgotten } from '@haat/proto/profile/v1/events'
import type { CartContext } from '../context.ts'
import { retireCart } from '../db/carts.ts'

/** Ends the person's cart, and an anonymous one on its way to it, with their trails. */
export async function onUserForgotten(ctx: CartContext, { data }: Event<UserForgotten>): Promise<void> {
  const { userId } = data
  const own = { $or: [{ mergeInto: userId }, { userId }] }
  for (let cart = await ctx.db.carts.findOne(own); cart; cart = await ctx.db.carts.findOne(own)) {
    await ctx.db.cartEvents.deleteMany({ cartId: cart._id })
    await retireCart(ctx, cart)
  }
}

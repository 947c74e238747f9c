import type { Call } from '@haat/kit/call'
import type { GetCartRequest, GetCartResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { cacheCart, createAnonymousCart, findCart, ownerOf, readCart, toCart } from '../db/carts.ts'

export async function getCart(ctx: CartContext, request: GetCartRequest, call: Call): Promise<GetCartResponse> {
  const owner = ownerOf(request, call)
  if (!owner) {
    const { cart, token } = await createAnonymousCart(ctx)
    return { cart: { ...toCart(cart), cartToken: token } }
  }
  const cached = await ctx.cache.find(owner)
  if (cached) return { cart: cached }
  const cart = await findCart(ctx, owner)
  if (!cart) return { cart: toCart(await readCart(ctx, owner)) }
  await cacheCart(ctx, cart)
  return { cart: toCart(cart) }
}

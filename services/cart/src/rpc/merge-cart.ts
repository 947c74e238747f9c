import { type Call, requireUser } from '@haat/kit/call'
import type { MergeCartRequest, MergeCartResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { openCart, toCart, userOwner } from '../db/carts.ts'
import { mergeToken } from '../db/merge.ts'

export async function mergeCart(ctx: CartContext, request: MergeCartRequest, call: Call): Promise<MergeCartResponse> {
  const userId = requireUser(call)
  await mergeToken(ctx, request.cartToken, userId)
  return { cart: toCart(await openCart(ctx, userOwner(userId))) }
}

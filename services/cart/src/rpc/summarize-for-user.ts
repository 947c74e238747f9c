import type { SummarizeForUserRequest, SummarizeForUserResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { cartNotFound, findCart, userOwner } from '../db/carts.ts'
import { summaryOf } from './pricing.ts'

export async function summarizeForUser(
  ctx: CartContext,
  request: SummarizeForUserRequest,
): Promise<SummarizeForUserResponse> {
  const cart = await findCart(ctx, userOwner(request.userId))
  if (!cart) throw cartNotFound()
  return { summary: await summaryOf(ctx, cart, request) }
}

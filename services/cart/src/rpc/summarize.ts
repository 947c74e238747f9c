import type { Call } from '@haat/kit/call'
import type { SummarizeRequest, SummarizeResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { ownerOf, readCart } from '../db/carts.ts'
import { summaryOf } from './pricing.ts'

export async function summarize(ctx: CartContext, request: SummarizeRequest, call: Call): Promise<SummarizeResponse> {
  const cart = await readCart(ctx, ownerOf(request, call))
  const userId = call.caller.kind === 'user' ? call.caller.id : undefined
  return { summary: await summaryOf(ctx, cart, { ...request, userId }) }
}

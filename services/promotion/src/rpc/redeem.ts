import type { RedeemRequest, RedeemResponse } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { redeemUsages, toUsage } from '../db/usages.ts'

export async function redeem(ctx: PromotionContext, request: RedeemRequest): Promise<RedeemResponse> {
  const usages = await ctx.db.transaction().execute((tx) => redeemUsages(tx, request.orderId, ctx.now()))
  return { usages: usages.map(toUsage) }
}

import type { ReleaseRequest, ReleaseResponse } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { releaseUsages, toUsage } from '../db/usages.ts'

export async function release(ctx: PromotionContext, request: ReleaseRequest): Promise<ReleaseResponse> {
  const usages = await ctx.db
    .transaction()
    .execute((tx) => releaseUsages(tx, request.orderId, ctx.now(), { from: ['held', 'redeemed'] }))
  return { usages: usages.map(toUsage) }
}

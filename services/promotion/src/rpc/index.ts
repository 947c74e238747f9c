import type { RpcTable } from '@haat/kit/grpc-server'
import type { PromotionServiceImplementation } from '@haat/proto/promotion/v1/promotion'
import type { PromotionContext } from '../context.ts'
import { createCoupon } from './create-coupon.ts'
import { hold } from './hold.ts'
import { listCoupons } from './list-coupons.ts'
import { quote } from './quote.ts'
import { redeem } from './redeem.ts'
import { release } from './release.ts'
import { updateCoupon } from './update-coupon.ts'

export const rpc: RpcTable<PromotionContext, PromotionServiceImplementation> = {
  createCoupon,
  hold,
  listCoupons,
  quote,
  redeem,
  release,
  updateCoupon,
}

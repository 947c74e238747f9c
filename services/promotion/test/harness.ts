import { newId } from '@haat/kit/id'
import type { Money } from '@haat/proto/common/v1/common'
import {
  CouponType,
  type CreateCouponRequest,
  FundedBy,
  type PromotionServiceClient,
  PromotionServiceDefinition,
} from '@haat/proto/promotion/v1/promotion'
import { startTestService } from '@haat/testkit/service'
import { neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { loadConfig } from '../src/config.ts'
import type { PromotionContext } from '../src/context.ts'
import { startPromotion } from '../src/service.ts'

export const bdt = (minor: number): Money => ({ currency: 'BDT', minor: BigInt(minor) })

/** Promotion on its own database, with clients for the identities the tests need and a clock they can move. */
export async function startHarness() {
  let shiftMs = 0
  const overrides: Partial<PromotionContext> = { now: () => new Date(Date.now() + shiftMs) }
  const service = await startTestService({
    name: 'promotion',
    load: loadConfig,
    start: startPromotion,
    migrations: new URL('../migrations/', import.meta.url),
    overrides,
  })
  const seller = await vendorMember()
  const as = (who?: Parameters<typeof service.as>[1]) =>
    service.as<PromotionServiceClient>(PromotionServiceDefinition, who)
  const admin = as(await staff('coupons.write', 'coupons.read'))
  const order = as(await neighbour('order'))
  let count = 0
  const find = async (code: string) => {
    const { coupons } = await admin.listCoupons({ query: code })
    return coupons.find((coupon) => coupon.code === code)!
  }
  return {
    ...service,
    service,
    seller,
    as,
    admin,
    order,
    vendor: as(seller),
    find,
    /** Runs `work` as if so many minutes had passed. */
    async later<T>(minutes: number, work: () => Promise<T>): Promise<T> {
      shiftMs = minutes * 60_000
      return work().finally(() => {
        shiftMs = 0
      })
    },
    /** The platform's 10 % coupon, unless told otherwise. */
    async coupon(more: Partial<CreateCouponRequest> = {}) {
      const { coupon } = await admin.createCoupon({
        code: `TEST-${++count}-X`,
        type: CouponType.PERCENT,
        percentBps: more.type === undefined ? 1_000 : 0,
        fundedBy: FundedBy.PLATFORM,
        stackable: true,
        isActive: true,
        ...more,
      })
      return coupon!
    },
    hold: (couponIds: string[], more: { orderId?: string; userId?: string; ttlSeconds?: number } = {}) =>
      order.hold({
        orderId: newId(),
        userId: newId(),
        ...more,
        coupons: couponIds.map((couponId) => ({ couponId, discount: bdt(100) })),
      }),
    async counts(code: string) {
      const { heldCount, redeemedCount } = await find(code)
      return { held: heldCount, redeemed: redeemedCount }
    },
  }
}

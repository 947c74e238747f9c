import type { Call } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import type { ApplyCouponRequest, ApplyCouponResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, ownerOf, readCart, toCart } from '../db/carts.ts'
import { MAX_CODES } from '../domain/cart.ts'
import { alive, priceLines } from '../domain/summary.ts'
import { findVariants } from './goods.ts'
import { offersOf, quoteLines } from './pricing.ts'

const refused = (code: string, reason: string) =>
  failedPrecondition('coupon_invalid', 'the coupon does not apply', { code, reason })

export async function applyCoupon(
  ctx: CartContext,
  request: ApplyCouponRequest,
  call: Call,
): Promise<ApplyCouponResponse> {
  const code = request.code.toUpperCase()
  const owner = ownerOf(request, call)
  const now = await readCart(ctx, owner)
  if (now.couponCodes.includes(code)) return { cart: toCart(now) }
  if (now.items.length === 0) throw failedPrecondition('cart_empty', 'the cart is empty')
  const room = (codes: readonly string[]) => {
    if (codes.length >= MAX_CODES) throw refused(code, 'coupon_too_many')
  }
  room(now.couponCodes)

  // Stock is left out of the trial: a coupon may be kept for goods that come back.
  const offers = offersOf(
    await findVariants(
      ctx,
      now.items.map((item) => item.sku),
    ),
  )
  const wanted = new Map(now.items.map((item) => [item.sku, item.qty]))
  const lines = alive(priceLines(now, offers, wanted).lines)
  if (lines.length === 0) throw refused(code, 'coupon_scope_mismatch')
  const { coupons } = await ctx.promotion.quote({
    codes: [...now.couponCodes, code],
    userId: call.caller.kind === 'user' ? call.caller.id : undefined,
    lines: quoteLines(lines),
    deliveries: [],
  })
  const verdict = coupons.find((coupon) => coupon.code === code)
  if (!verdict?.accepted) throw refused(code, verdict?.reason ?? 'coupon_not_found')

  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) => {
      if (before.couponCodes.includes(code)) return undefined
      room(before.couponCodes)
      return {
        contents: { ...before, couponCodes: [...before.couponCodes, code] },
        touched: true,
        note: { type: 'coupon_applied', data: { code } },
      }
    },
  )
  return { cart: toCart(cart) }
}

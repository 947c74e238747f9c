import type { Call } from '@haat/kit/call'
import type { RemoveCouponRequest, RemoveCouponResponse } from '@haat/proto/cart/v1/cart'
import type { CartContext } from '../context.ts'
import { changeCart, openCart, ownerOf, toCart } from '../db/carts.ts'

export async function removeCoupon(
  ctx: CartContext,
  request: RemoveCouponRequest,
  call: Call,
): Promise<RemoveCouponResponse> {
  const owner = ownerOf(request, call)
  const code = request.code?.toUpperCase()
  const cart = await changeCart(
    ctx,
    () => openCart(ctx, owner),
    (before) => {
      const couponCodes = code === undefined ? [] : before.couponCodes.filter((other) => other !== code)
      if (couponCodes.length === before.couponCodes.length) return undefined
      return {
        contents: { ...before, couponCodes },
        touched: true,
        note: { type: 'coupon_removed', data: { codes: before.couponCodes.filter((c) => !couponCodes.includes(c)) } },
      }
    },
  )
  return { cart: toCart(cart) }
}

import { limitBy } from '@haat/kit/http/rate-limit'
import { createRoutes, route } from '@haat/kit/http/route'
import { countrySchema, quantitySchema, skuSchema, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { Cart, CartSummary, SkippedItem } from '@haat/proto/cart/v1/cart'
import { cartToken, forgetCart, rememberCart } from '../cart-token.ts'
import type { StorefrontContext } from '../context.ts'

const tags = ['cart']
const cart = viewOf(Cart)
const summary = viewOf(CartSummary)
const skipped = viewOf(SkippedItem)
const couponCode = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{1,39}$/, 'is no coupon code')
export const deliveryChoice = strict({ vendorId: uuidSchema, optionId: z.string().min(1).max(80) })
const skuParam = z.object({ sku: skuSchema })

const getCart = route({
  method: 'get',
  path: '/cart',
  summary: 'My cart; a guest without one gets a new one',
  description:
    "A guest's cart is known by the `cart` cookie or the `X-Cart-Token` header; a new one's token is in `cartToken`.",
  tags,
  auth: 'public',
  personal: true,
  response: cart.schema,
})
const addItem = route({
  method: 'post',
  path: '/cart/items',
  summary: 'Put something into the cart',
  tags,
  auth: 'public',
  body: strict({ sku: skuSchema, qty: quantitySchema.default(1) }),
  response: cart.schema,
})
const updateItem = route({
  method: 'patch',
  path: '/cart/items/{sku}',
  summary: 'Change a quantity',
  tags,
  auth: 'public',
  params: skuParam,
  body: strict({ qty: quantitySchema }),
  response: cart.schema,
})
const removeItem = route({
  method: 'delete',
  path: '/cart/items/{sku}',
  summary: 'Take something out of the cart',
  tags,
  auth: 'public',
  params: skuParam,
  response: cart.schema,
})
const clear = route({
  method: 'delete',
  path: '/cart',
  summary: 'Empty the cart',
  tags,
  auth: 'public',
  response: cart.schema,
})
const applyCoupon = route({
  method: 'post',
  path: '/cart/apply-coupon',
  summary: 'Add a coupon; whether it counts shows in the summary',
  tags,
  auth: 'public',
  rateClass: 'coupon',
  body: strict({ code: couponCode }),
  response: cart.schema,
})
const removeCoupon = route({
  method: 'delete',
  path: '/cart/coupon',
  summary: 'Remove a coupon, or all of them',
  tags,
  auth: 'public',
  query: z.object({ code: couponCode.optional() }),
  response: cart.schema,
})
const merge = route({
  method: 'post',
  path: '/cart/merge',
  summary: "Take a guest's cart along (login does it by itself)",
  tags,
  auth: 'user',
  body: strict({ cartToken: z.string().min(16).max(128) }),
  response: cart.schema,
})
const reorder = route({
  method: 'post',
  path: '/cart/reorder',
  summary: 'Put what an earlier order had into the cart',
  tags,
  auth: 'user',
  body: strict({ orderNo: z.string().min(1).max(40) }),
  response: z.object({ cart: cart.schema, skipped: z.array(skipped.schema) }).openapi('Reordered'),
})
const summarize = route({
  method: 'post',
  path: '/checkout/summary',
  summary: 'The cart with fresh prices, stock, delivery options per vendor, coupons, tax and totals, and what changed',
  tags: ['checkout'],
  auth: 'public',
  rateClass: 'checkout',
  body: strict({
    destination: strict({
      country: countrySchema,
      postalCode: z.string().max(20).default(''),
      state: z.string().max(120).default(''),
    }).optional(),
    deliveries: z.array(deliveryChoice).max(100).default([]),
  }),
  response: summary.schema,
})

export function cartRoutes(ctx: StorefrontContext) {
  return createRoutes()
    .openapi(getCart, async (c) => {
      const answer = await ctx.cart.getCart(cartToken(c))
      rememberCart(c, answer.cart)
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(addItem, async (c) => {
      const answer = await ctx.cart.addItem({ ...cartToken(c), ...c.req.valid('json') })
      rememberCart(c, answer.cart)
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(updateItem, async (c) => {
      const answer = await ctx.cart.updateItem({
        ...cartToken(c),
        sku: c.req.valid('param').sku,
        qty: c.req.valid('json').qty,
      })
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(removeItem, async (c) => {
      const answer = await ctx.cart.removeItem({ ...cartToken(c), sku: c.req.valid('param').sku })
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(clear, async (c) => c.json(cart.toJson((await ctx.cart.clearCart(cartToken(c))).cart!), 200))
    .openapi(applyCoupon, async (c) => {
      // Guessing is limited per cart as well as per address.
      await limitBy(c, 'coupon', cartToken(c).cartToken ?? c.get('call').caller.id)
      const answer = await ctx.cart.applyCoupon({ ...cartToken(c), code: c.req.valid('json').code })
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(removeCoupon, async (c) => {
      const { code } = c.req.valid('query')
      const answer = await ctx.cart.removeCoupon({ ...cartToken(c), ...(code ? { code } : {}) })
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(merge, async (c) => {
      const answer = await ctx.cart.mergeCart(c.req.valid('json'))
      forgetCart(c)
      return c.json(cart.toJson(answer.cart!), 200)
    })
    .openapi(reorder, async (c) => {
      const answer = await ctx.cart.reorderFrom(c.req.valid('json'))
      return c.json({ cart: cart.toJson(answer.cart!), skipped: answer.skipped.map(skipped.toJson) }, 200)
    })
    .openapi(summarize, async (c) => {
      const { destination, deliveries } = c.req.valid('json')
      const answer = await ctx.cart.summarize({
        ...cartToken(c),
        deliveries,
        ...(destination ? { destination } : {}),
      })
      return c.json(summary.toJson(answer.summary!), 200)
    })
}

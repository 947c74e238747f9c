import type { HttpEnv } from '@haat/kit/http/context'
import type { Cart } from '@haat/proto/cart/v1/cart'
import type { Context } from 'hono'

const HEADER = 'x-cart-token'
const COOKIE = /(?:^|;\s*)cart=([A-Za-z0-9_-]{16,128})(?:;|$)/
const DAYS = 30

/** The guest's cart: from the header (API clients) or the cookie (browsers). */
export function cartToken(c: Context<HttpEnv>): { cartToken?: string } {
  const token = c.req.header(HEADER) ?? c.req.header('cookie')?.match(COOKIE)?.[1]
  return token && /^[A-Za-z0-9_-]{16,128}$/.test(token) ? { cartToken: token } : {}
}

/** A new guest cart's token goes to the browser as a cookie; API clients find it in the answer. */
export function rememberCart(c: Context<HttpEnv>, cart: Cart | undefined): void {
  if (cart?.cartToken)
    c.header('Set-Cookie', `cart=${cart.cartToken}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${DAYS * 86_400}`, {
      append: true,
    })
}

export const forgetCart = (c: Context<HttpEnv>): void =>
  c.header('Set-Cookie', 'cart=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0', { append: true })

import type { Redis } from '@haat/kit/redis'
import { Cart } from '@haat/proto/cart/v1/cart'

/**
 * Carts as GetCart answers them. Only a convenience: every failure is a miss, and no change or price is based on it.
 */
export type CartCache = {
  find(owner: string): Promise<Cart | undefined>
  /** Keeps a cart, unless a later version is there. */
  put(owner: string, version: number, cart: Cart, liveMs: number): Promise<void>
  /**
   * Forgets a cart, and keeps readers of this version from putting it back. Comes before every change, so that a process that
   * dies between the change and its `put` leaves nothing old behind.
   */
  drop(owner: string, version: number): Promise<void>
}

// A reader that was overtaken by a writer must not put the old cart back, so versions only grow while a key lives.
const PUT = `local v = redis.call('hget', KEYS[1], 'v')
if v and tonumber(v) >= tonumber(ARGV[1]) then return 0 end
redis.call('hset', KEYS[1], 'v', ARGV[1], 'b', ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[3])
return 1`

const DROP = `local v = redis.call('hget', KEYS[1], 'v')
if v and tonumber(v) > tonumber(ARGV[1]) then return 0 end
redis.call('hset', KEYS[1], 'v', ARGV[1], 'b', '')
redis.call('pexpire', KEYS[1], ARGV[2])
return 1`

export function openCartCache(redis: Redis, seconds: number): CartCache {
  const key = (owner: string) => `cart:${owner}`
  // Whose change Redis could not be told of, and until when it may hold the cart as it was before.
  const untold = new Map<string, number>()
  return {
    async find(owner) {
      if ((untold.get(owner) ?? 0) > Date.now()) return undefined
      const bytes = await redis.hgetBuffer(key(owner), 'b').catch(() => null)
      return bytes?.length ? Cart.decode(bytes) : undefined
    },
    async put(owner, version, cart, liveMs) {
      const ms = Math.min(seconds * 1000, Math.floor(liveMs))
      const bytes = Buffer.from(Cart.encode(cart).finish())
      if (ms <= 0) return
      const isKept = await redis.eval(PUT, 1, key(owner), version, bytes, ms).catch(() => 0)
      if (isKept) untold.delete(owner)
    },
    async drop(owner, version) {
      await redis.eval(DROP, 1, key(owner), version, seconds * 1000).catch(() => {
        for (const [known, until] of untold) if (until <= Date.now()) untold.delete(known)
        untold.set(owner, Date.now() + seconds * 1000)
      })
    },
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from '@haat/kit/call'
import { AppError, aborted, notFound } from '@haat/kit/errors'
import type { Envelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { Cart, CartItem } from '@haat/proto/cart/v1/cart'
import type { UpdateFilter } from 'mongodb'
import type { CartContext } from '../context.ts'
import { type Contents, type Item, nothing } from '../domain/cart.ts'
import type { CartDocument } from './collections.ts'

const ATTEMPTS = 30
const REMEMBERED = 20

export const userOwner = (userId: string): string => `user:${userId}`
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex')
export const tokenOwner = (hash: string): string => `token:${hash}`
export const mergingOwner = (hash: string): string => `merging:${hash}`

export const cartNotFound = () => notFound('cart_not_found', 'no such cart')

/** Whose cart a request means: the caller's own, else the token's; undefined when it names none. */
export function ownerOf(request: { cartToken?: string | undefined }, call: Call): string | undefined {
  if (call.caller.kind === 'user') return userOwner(call.caller.id)
  return request.cartToken ? tokenOwner(tokenHash(request.cartToken)) : undefined
}

/** The owner's living cart. */
export async function findCart(ctx: CartContext, owner: string): Promise<CartDocument | undefined> {
  const found = await ctx.db.carts.findOne({ owner })
  return found && found.expiresAt > ctx.now() ? found : undefined
}

/** The owner's cart: a person always has one, a token's must be there. NOT_FOUND `cart_not_found` otherwise. */
export async function openCart(ctx: CartContext, owner: string | undefined): Promise<CartDocument> {
  if (!owner) throw cartNotFound()
  const found = await ctx.db.carts.findOne({ owner })
  if (found && found.expiresAt > ctx.now()) return found
  if (!owner.startsWith('user:')) throw cartNotFound()
  if (found) await retireCart(ctx, found)
  return createCart(ctx, owner)
}

/** The owner's cart, if there is one yet; only a person may have none. NOT_FOUND `cart_not_found` otherwise. */
export async function lookForCart(ctx: CartContext, owner: string | undefined): Promise<CartDocument | undefined> {
  const found = owner && (await findCart(ctx, owner))
  if (!found && !owner?.startsWith('user:')) throw cartNotFound()
  return found || undefined
}

/** The owner's cart for reading: a person who has none yet has an empty one, which is not stored. */
export const readCart = async (ctx: CartContext, owner: string | undefined): Promise<CartDocument> =>
  (await lookForCart(ctx, owner)) ?? newCart(ctx, owner!)

/** A new anonymous cart, and the token whose hash it is kept under. */
export async function createAnonymousCart(
  ctx: CartContext,
): Promise<{ cart: CartDocument; owner: string; token: string }> {
  const token = randomBytes(32).toString('base64url')
  const owner = tokenOwner(tokenHash(token))
  return { cart: await createCart(ctx, owner), owner, token }
}

function newCart(ctx: CartContext, owner: string): CartDocument {
  const now = ctx.now()
  return {
    _id: newId(),
    owner,
    ...(owner.startsWith('user:') ? { userId: owner.slice('user:'.length) } : {}),
    ...nothing,
    version: 1,
    mergedFrom: [],
    orders: [],
    createdAt: now,
    updatedAt: now,
    touchedAt: now,
    expiresAt: new Date(now.getTime() + ctx.ttlMs),
  }
}

async function createCart(ctx: CartContext, owner: string): Promise<CartDocument> {
  const cart = newCart(ctx, owner)
  try {
    await ctx.db.carts.insertOne(cart)
    return cart
  } catch (error) {
    // The same person's first two requests at once: the other one's cart is there now.
    if (isDuplicateKey(error, 'owner')) return openCart(ctx, owner)
    throw error
  }
}

export type Change = {
  contents?: Contents
  /** Its customer did it: the clocks of expiry and abandonment start anew. */
  touched?: boolean
  /** The pause has been told; no second time before the next touch. */
  abandoned?: boolean
  mergedFrom?: string
  order?: string
  /** An event about the change, given the cart's new version. */
  event?: (version: number) => Envelope
  /** What the trail says. */
  note: { type: string; data: Record<string, unknown> }
}

/**
 * Changes a cart by one conditional update: `read` answers it as it is, `change` (pure) what becomes of it, or undefined
 * when there is nothing to do; both run again when somebody else was faster. `known` is the cart as it was read a moment ago, if
 * it was. ABORTED `cart_busy` after many attempts.
 */
export async function changeCart(
  ctx: CartContext,
  read: () => Promise<CartDocument>,
  change: (cart: CartDocument) => Change | undefined,
  known?: CartDocument,
): Promise<CartDocument> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = (attempt === 0 && known) || (await read())
    const wanted = change(before)
    if (!wanted) return before
    const { after, update } = apply(ctx, before, wanted)
    await ctx.cache.drop(before.owner, before.version)
    const { matchedCount } = await ctx.db.carts.updateOne({ _id: before._id, version: before.version }, update)
    if (matchedCount) {
      if (wanted.event) ctx.wakeEvents('carts', [before._id])
      await Promise.all([cacheCart(ctx, after), record(ctx, after._id, wanted.note)])
      return after
    }
    await sleep(Math.random() * 5 * (attempt + 1))
  }
  throw aborted('cart_busy', 'the cart is being changed by somebody else; try again')
}

/** The same for a cart that may have ended meanwhile: then there is nothing to change. */
export async function changeIfThere(
  ctx: CartContext,
  filter: { _id: string; userId?: string },
  change: (cart: CartDocument) => Change | undefined,
): Promise<void> {
  const read = async () => {
    const found = await ctx.db.carts.findOne(filter)
    if (!found) throw cartNotFound()
    return found
  }
  try {
    await changeCart(ctx, read, change)
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'cart_not_found')) throw error
  }
}

function apply(
  ctx: CartContext,
  before: CartDocument,
  change: Change,
): { after: CartDocument; update: UpdateFilter<CartDocument> } {
  const now = ctx.now()
  const contents = change.contents ?? before
  const version = before.version + 1
  const since = new Map(before.items.map((item) => [item.sku, item.since ?? 0]))
  const set = {
    items: contents.items.map((item) => ({ ...item, since: since.get(item.sku) ?? version })),
    couponCodes: contents.couponCodes,
    currency: contents.currency,
    version,
    updatedAt: change.contents ? now : before.updatedAt,
    mergedFrom: remember(before.mergedFrom, change.mergedFrom),
    orders: remember(before.orders, change.order),
    ...(change.touched ? { touchedAt: now, expiresAt: new Date(now.getTime() + ctx.ttlMs) } : {}),
  }
  const { abandonAt: previous, ...rest } = before
  const waits = contents.items.length > 0 && !change.abandoned
  const abandonAt = waits ? (change.touched ? new Date(now.getTime() + ctx.abandonedMs) : previous) : undefined
  return {
    after: { ...rest, ...set, ...(abandonAt ? { abandonAt } : {}) },
    update: {
      $set: { ...set, ...(abandonAt ? { abandonAt } : {}) },
      ...(abandonAt ? {} : { $unset: { abandonAt: '' as const } }),
      ...(change.event ? { $push: { pendingEvents: change.event(version) } } : {}),
    },
  }
}

const remember = (list: string[], id: string | undefined): string[] => (id ? [...list, id].slice(-REMEMBERED) : list)

/**
 * Ends a cart: its owner's name is free at once and nothing personal stays. The document goes as soon as its events are
 * published. False when somebody else changed it meanwhile.
 */
export async function retireCart(ctx: CartContext, cart: CartDocument): Promise<boolean> {
  const version = cart.version + 1
  await ctx.cache.drop(cart.owner, cart.version)
  const { matchedCount } = await ctx.db.carts.updateOne(
    { _id: cart._id, version: cart.version },
    {
      $set: { ...nothing, owner: `closed:${cart._id}`, version, expiresAt: ctx.now(), mergedFrom: [], orders: [] },
      $unset: { userId: '', mergeInto: '', claimedAt: '', abandonAt: '' },
    },
  )
  if (!matchedCount) return false
  await deleteClosed(ctx, cart._id)
  return true
}

/** Deletes a closed cart, unless events of it wait to be published. */
export const deleteClosed = (ctx: CartContext, cartId: string) =>
  ctx.db.carts.deleteOne({
    _id: cartId,
    owner: `closed:${cartId}`,
    $or: [{ pendingEvents: { $exists: false } }, { pendingEvents: { $size: 0 } }],
  })

/** Puts a cart where GetCart finds it quickly. */
export const cacheCart = (ctx: CartContext, cart: CartDocument): Promise<void> =>
  ctx.cache.put(cart.owner, cart.version, toCart(cart), cart.expiresAt.getTime() - ctx.now().getTime())

/** Adds to the trail; a failure costs an entry, never the change. */
async function record(ctx: CartContext, cartId: string, note: Change['note']): Promise<void> {
  try {
    await ctx.db.cartEvents.insertOne({ _id: newId(), cartId, ...note, at: ctx.now() })
  } catch (err) {
    ctx.log.warn({ err, cartId, type: note.type }, 'cart trail misses an entry')
  }
}

export const toCart = (cart: CartDocument): Cart => ({
  id: cart._id,
  items: cart.items.map((item) => toItem(item, cart.currency)),
  couponCodes: cart.couponCodes,
  currency: cart.currency,
  itemCount: cart.items.reduce((sum, item) => sum + item.qty, 0),
  subtotal: cart.items.length ? subtotalAtAdd(cart) : undefined,
  updatedAt: cart.updatedAt,
})

export const subtotalAtAdd = (cart: Contents) => ({
  currency: cart.currency,
  minor: cart.items.reduce((sum, item) => sum + item.priceAtAdd * BigInt(item.qty), 0n),
})

export const toItem = (item: Item, currency: string): CartItem => ({
  sku: item.sku,
  productId: item.productId,
  vendorId: item.vendorId,
  title: item.title,
  image: item.image,
  optionValues: Object.fromEntries(item.optionValues.map(({ name, value }) => [name, value])),
  qty: item.qty,
  priceAtAdd: { currency, minor: item.priceAtAdd },
})

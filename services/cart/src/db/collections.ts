import type { Pending } from '@haat/kit/events/pending'
import type { Collection, Db } from 'mongodb'
import type { Item } from '../domain/cart.ts'

/** A cart: one document, changed only by updates that name the version they read. */
export type CartDocument = Pending & {
  _id: string
  /** Whose it is: `user:<id>`, `token:<hash>`, `merging:<hash>` (claimed, see merge) or `closed:<cart id>`. Unique. */
  owner: string
  userId?: string
  /** The person who takes an anonymous cart over, while that is under way. */
  mergeInto?: string
  claimedAt?: Date
  items: Item[]
  couponCodes: string[]
  /** Empty while there are no items. */
  currency: string
  version: number
  /** The last anonymous carts and orders that took effect here, so that a repeat changes nothing. */
  mergedFrom: string[]
  orders: string[]
  createdAt: Date
  updatedAt: Date
  /** When its customer last changed it. */
  touchedAt: Date
  expiresAt: Date
  /** When it will count as abandoned; absent while there is nothing to abandon, and once that was told. */
  abandonAt?: Date
}

/** A trail for support and debugging; nothing reads it to decide anything. */
export type CartEventDocument = {
  _id: string
  cartId: string
  type: string
  data: Record<string, unknown>
  at: Date
}

export type Collections = { carts: Collection<CartDocument>; cartEvents: Collection<CartEventDocument> }

export async function openCollections(db: Db): Promise<Collections> {
  const carts = db.collection<CartDocument>('carts')
  const cartEvents = db.collection<CartEventDocument>('cart_events')
  await carts.createIndex({ owner: 1 }, { name: 'owner', unique: true })
  await carts.createIndex({ userId: 1 }, { name: 'userId', sparse: true })
  await carts.createIndex({ 'items.sku': 1 }, { name: 'items_sku' })
  await carts.createIndex({ expiresAt: 1 }, { name: 'expiresAt' })
  await carts.createIndex({ abandonAt: 1 }, { name: 'abandonAt', sparse: true })
  await carts.createIndex({ mergeInto: 1 }, { name: 'mergeInto', sparse: true })
  await cartEvents.createIndex({ cartId: 1, at: 1 }, { name: 'cartId_at' })
  await cartEvents.createIndex({ at: 1 }, { name: 'at' })
  return { carts, cartEvents }
}

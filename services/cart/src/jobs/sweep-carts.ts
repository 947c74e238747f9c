import { pendEvent } from '@haat/kit/events/pending'
import { job } from '@haat/kit/jobs'
import { CartAbandoned } from '@haat/proto/cart/v1/events'
import type { CartContext } from '../context.ts'
import { changeIfThere, deleteClosed, retireCart, subtotalAtAdd, toItem } from '../db/carts.ts'
import type { CartDocument } from '../db/collections.ts'
import { finishMerge } from '../db/merge.ts'

const BATCH = 500
// A merge takes milliseconds; one that is older has lost its process.
const STUCK_MERGE_MS = 60_000

/** Finishes merges that a crash left half done, tells abandoned carts, ends expired ones and shortens the trail. */
export const sweepCarts = job<CartContext>('sweep-carts', {
  everySeconds: 60,
  leader: true,
  async run(ctx) {
    await finishMerges(ctx)
    await tellAbandoned(ctx)
    await endExpired(ctx)
    await ctx.db.cartEvents.deleteMany({ at: { $lt: new Date(ctx.now().getTime() - ctx.eventsMs) } })
  },
})

async function finishMerges(ctx: CartContext): Promise<void> {
  const before = new Date(ctx.now().getTime() - STUCK_MERGE_MS)
  const claimed = await ctx.db.carts
    .find({ mergeInto: { $exists: true } })
    .limit(BATCH)
    .toArray()
  for (const cart of claimed) if ((cart.claimedAt ?? before) <= before) await finishMerge(ctx, cart)
}

async function tellAbandoned(ctx: CartContext): Promise<void> {
  const due = await ctx.db.carts
    .find({ abandonAt: { $lt: ctx.now() } })
    .limit(BATCH)
    .toArray()
  for (const cart of due)
    await changeIfThere(ctx, { _id: cart._id }, (before) =>
      before.abandonAt && before.abandonAt < ctx.now()
        ? {
            abandoned: true,
            event: (version) => pendEvent(CartAbandoned, abandonedData(before), version),
            note: { type: 'abandoned', data: { lines: before.items.length } },
          }
        : undefined,
    )
}

const abandonedData = (cart: CartDocument): CartAbandoned => ({
  cartId: cart._id,
  userId: cart.userId ?? '',
  items: cart.items.map((item) => toItem(item, cart.currency)),
  subtotal: subtotalAtAdd(cart),
  lastTouchedAt: cart.touchedAt,
})

async function endExpired(ctx: CartContext): Promise<void> {
  const expired = await ctx.db.carts
    .find({ expiresAt: { $lt: ctx.now() } })
    .limit(BATCH)
    .toArray()
  for (const cart of expired) {
    if (cart.owner.startsWith('closed:')) await deleteClosed(ctx, cart._id)
    else if (!cart.mergeInto) {
      await ctx.db.cartEvents.deleteMany({ cartId: cart._id })
      await retireCart(ctx, cart)
    }
  }
}

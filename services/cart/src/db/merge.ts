import { aborted } from '@haat/kit/errors'
import type { CartContext } from '../context.ts'
import { merge } from '../domain/cart.ts'
import { changeCart, findCart, mergingOwner, openCart, retireCart, tokenHash, tokenOwner, userOwner } from './carts.ts'
import type { CartDocument } from './collections.ts'

const ATTEMPTS = 30

/**
 * Moves a token's cart into a person's. Two documents, so three steps that each bear repetition: claim the anonymous
 * cart (its token is used up), add its lines where it is remembered, end it. The sweep finishes what a crash left claimed.
 */
export async function mergeToken(ctx: CartContext, token: string, userId: string): Promise<void> {
  const claimed = await claim(ctx, tokenHash(token), userId)
  if (claimed) await finishMerge(ctx, claimed)
}

/** The token's cart, now frozen for this person; undefined when the token is unknown, expired or somebody else's already. */
async function claim(ctx: CartContext, hash: string, userId: string): Promise<CartDocument | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const open = await findCart(ctx, tokenOwner(hash))
    if (!open) {
      const begun = await ctx.db.carts.findOne({ owner: mergingOwner(hash) })
      return begun?.mergeInto === userId ? begun : undefined
    }
    const version = open.version + 1
    const claimedAt = ctx.now()
    const { abandonAt: _, ...kept } = open
    await ctx.cache.drop(open.owner, open.version)
    const { matchedCount } = await ctx.db.carts.updateOne(
      { _id: open._id, version: open.version },
      { $set: { owner: mergingOwner(hash), mergeInto: userId, claimedAt, version }, $unset: { abandonAt: '' } },
    )
    if (!matchedCount) continue
    return { ...kept, owner: mergingOwner(hash), mergeInto: userId, claimedAt, version }
  }
  throw aborted('cart_busy', 'the cart is being changed by somebody else; try again')
}

/** Adds a claimed cart to its new owner's, once, and ends it. */
export async function finishMerge(ctx: CartContext, claimed: CartDocument): Promise<void> {
  const owner = userOwner(claimed.mergeInto!)
  if (claimed.items.length || claimed.couponCodes.length)
    await changeCart(
      ctx,
      () => openCart(ctx, owner),
      (own) =>
        own.mergedFrom.includes(claimed._id)
          ? undefined
          : {
              contents: merge(own, claimed),
              touched: true,
              mergedFrom: claimed._id,
              note: { type: 'merged', data: { from: claimed._id, lines: claimed.items.length } },
            },
    )
  await retireCart(ctx, claimed)
}

import { conflict } from '@haat/kit/errors'
import type { Money } from '@haat/money/money'
import type { PaymentContext } from '../context.ts'
import { lockOwedToVendor } from '../db/ledger.ts'
import type { PayoutRow } from '../db/payouts.ts'
import { failPayout } from './settle-payout.ts'
import { ATTEMPT_LEASE_SECONDS } from './submit-refund.ts'

export type PayoutOrder = { payoutId: string; vendorId: string; amount: Money; destination: string; country: string }
export type Accepted = { row: PayoutRow; isNew: boolean } | { short: bigint }

/**
 * Records a payout before the provider hears of it, once per id: the row counts against what the vendor is owed. When that is
 * too little, answers how much there is, and with `failWhenShort` also records the payout as failed and says so.
 * ALREADY_EXISTS `payout_mismatch` for a known id with another body.
 */
export function acceptPayout(
  ctx: PaymentContext,
  order: PayoutOrder,
  options: { failWhenShort: boolean },
): Promise<Accepted> {
  const { payoutId, vendorId, amount, destination, country } = order
  return ctx.db.transaction().execute(async (tx) => {
    const owed = await lockOwedToVendor(tx, vendorId, amount.currency)
    const known = await tx.selectFrom('payouts').selectAll().where('id', '=', payoutId).executeTakeFirst()
    if (known) {
      const isSame =
        known.vendor_id === vendorId &&
        known.amount === amount.minor &&
        known.currency === amount.currency &&
        (destination === '' || known.destination === destination)
      if (!isSame) throw conflict('payout_mismatch', 'this payout was made with another body')
      return { row: known, isNew: false }
    }
    const isShort = owed < amount.minor
    if (isShort && !options.failWhenShort) return { short: owed }
    const row = await tx
      .insertInto('payouts')
      .values({
        id: payoutId,
        vendor_id: vendorId,
        amount: amount.minor,
        currency: amount.currency,
        provider: ctx.provider.name,
        method: ctx.provider.payoutMethod,
        status: 'processing',
        destination,
        country,
        external_ref: null,
        failure_code: '',
        attempts: 1,
        next_attempt_at: new Date(ctx.now().getTime() + ATTEMPT_LEASE_SECONDS * 1000),
        completed_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { row: isShort ? await failPayout(ctx, tx, row, 'balance_insufficient') : row, isNew: true }
  })
}

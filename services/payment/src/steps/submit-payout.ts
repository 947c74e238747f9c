import { sql } from '@haat/kit/postgres'
import type { PaymentContext } from '../context.ts'
import { amountOf } from '../db/payments.ts'
import type { PayoutRow } from '../db/payouts.ts'
import { nextAttempt } from '../domain/back-off.ts'
import { payoutFailureCode } from '../domain/failure-code.ts'
import { ProviderFailure, type ProviderTransfer } from '../provider/provider.ts'
import { failPayout, settlePayout } from './settle-payout.ts'

const FIRST_RETRY_SECONDS = 10

/**
 * Makes one attempt at a payout its caller has claimed, and answers where it stands. A provider that does not answer is asked
 * again by the job; only a refusal for good ends the payout.
 */
export async function submitPayout(ctx: PaymentContext, payout: PayoutRow): Promise<PayoutRow> {
  try {
    return await settlePayout(ctx, payout.id, await reach(ctx, payout))
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    return error.isRejection ? refuse(ctx, payout, error.reason) : postpone(ctx, payout, error.isKeySpent)
  }
}

async function reach(ctx: PaymentContext, payout: PayoutRow): Promise<ProviderTransfer> {
  const { id: payoutId, vendor_id: vendorId, key_generation: generation } = payout
  // An earlier attempt may have had its effect, and its key may be forgotten: see submit-refund.
  const earlier = payout.attempts > 1 ? await ctx.provider.findTransfer({ payoutId }) : undefined
  if (earlier) return earlier
  const destination = payout.destination || (await accountOf(ctx, vendorId, payout.country))
  try {
    return await ctx.provider.createTransfer({ payoutId, vendorId, destination, amount: amountOf(payout), generation })
  } catch (error) {
    const made =
      error instanceof ProviderFailure && error.isRejection ? await ctx.provider.findTransfer({ payoutId }) : undefined
    if (made) return made
    throw error
  }
}

/** The vendor's connected account, made on first use; whoever comes second uses the first one's. */
async function accountOf(ctx: PaymentContext, vendorId: string, country: string): Promise<string> {
  const find = () =>
    ctx.db
      .selectFrom('provider_accounts')
      .select('account_id')
      .where('provider', '=', ctx.provider.name)
      .where('vendor_id', '=', vendorId)
      .executeTakeFirst()
  const known = await find()
  if (known) return known.account_id
  const account_id = await ctx.provider.createAccount({ vendorId, country })
  await ctx.db
    .insertInto('provider_accounts')
    .values({ provider: ctx.provider.name, vendor_id: vendorId, account_id })
    .onConflict((c) => c.doNothing())
    .execute()
  return (await find())?.account_id ?? account_id
}

const postpone = (ctx: PaymentContext, payout: PayoutRow, isKeySpent: boolean): Promise<PayoutRow> =>
  ctx.db
    .updateTable('payouts')
    .set({
      key_generation: payout.key_generation + (isKeySpent ? 1 : 0),
      next_attempt_at: sql<Date>`case when next_attempt_at is null then null
        else ${nextAttempt(ctx.now(), payout.attempts, FIRST_RETRY_SECONDS)}::timestamptz end`,
      updated_at: sql<Date>`now()`,
    })
    .where('id', '=', payout.id)
    .returningAll()
    .executeTakeFirstOrThrow()

const refuse = (ctx: PaymentContext, payout: PayoutRow, reason: string): Promise<PayoutRow> =>
  ctx.db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('payouts')
      .selectAll()
      .where('id', '=', payout.id)
      .forUpdate()
      .executeTakeFirstOrThrow()
    return row.status === 'processing' ? failPayout(ctx, tx, row, payoutFailureCode(reason)) : row
  })

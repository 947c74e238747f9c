import type { Call } from '@haat/kit/call'
import { money } from '@haat/money/money'
import type { GetBalanceRequest, GetBalanceResponse } from '@haat/proto/vendor/v1/vendor'
import { sql } from 'kysely'
import type { VendorContext } from '../context.ts'
import { getVendorRow } from '../db/vendors.ts'
import { requireScope } from './access.ts'

export async function getBalance(
  ctx: VendorContext,
  request: GetBalanceRequest,
  call: Call,
): Promise<GetBalanceResponse> {
  const vendorId = requireScope(call, request.vendorId, 'payouts.read', ['payouts.read'])
  await getVendorRow(ctx.db, vendorId)
  const { rows } = await sql<{ currency: string; pending: bigint; available: bigint; in_payout: bigint; paid: bigint }>`
    select currency,
           coalesce(sum(net) filter (where status = 'pending'), 0) as pending,
           coalesce(sum(net) filter (where status = 'eligible' and payout_id is null), 0) as available,
           coalesce(sum(net) filter (where status = 'eligible' and payout_id is not null), 0) as in_payout,
           coalesce(-sum(net) filter (where status = 'paid' and reference = payout_id), 0) as paid
      from vendor_earnings
     where vendor_id = ${vendorId}
     group by currency
     order by currency`.execute(ctx.db)
  return {
    balances: rows.map(({ currency, pending, available, in_payout, paid }) => ({
      currency,
      pending: money(currency, pending),
      available: money(currency, available),
      inPayout: money(currency, in_payout),
      paid: money(currency, paid),
    })),
  }
}

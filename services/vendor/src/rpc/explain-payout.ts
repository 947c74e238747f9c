import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import type { ExplainPayoutRequest, ExplainPayoutResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toRule, toRuleMessage } from '../db/commission.ts'
import { toEarning } from '../db/earnings.ts'
import { payoutNotFound, toPayout } from '../db/payouts.ts'
import { idCursor } from './cursor.ts'

export async function explainPayout(
  ctx: VendorContext,
  request: ExplainPayoutRequest,
  call: Call,
): Promise<ExplainPayoutResponse> {
  const size = pageSize(request.pageSize)
  const after = idCursor(request.pageToken)
  const payout = await ctx.db
    .selectFrom('vendor_payouts')
    .selectAll()
    .where('id', '=', request.payoutId)
    .executeTakeFirst()
  const mine = payout && payout.vendor_id === call.caller.vendorId
  if (!payout || !(mine || isStaff(call, 'payouts.read', 'payouts.approve'))) throw payoutNotFound()

  // The earnings it was made of, not those it covers now: a rejected or failed payout is explained too.
  let query = ctx.db
    .selectFrom('vendor_payout_earnings as p')
    .innerJoin('vendor_earnings as e', 'e.id', 'p.earning_id')
    .selectAll('e')
    .where('p.payout_id', '=', payout.id)
    .orderBy('p.earning_id')
    .limit(size + 1)
  if (after) query = query.where('p.earning_id', '>', after)
  const page = toPage(await query.execute(), size, (row) => [row.id])

  const ruleIds = [...new Set(page.items.flatMap((row) => row.rule_id ?? []))]
  const rules = ruleIds.length
    ? await ctx.db.selectFrom('commission_rules').selectAll().where('id', 'in', ruleIds).execute()
    : []
  const ruleOf = new Map(rules.map((row) => [row.id, toRuleMessage(toRule(row))]))
  return {
    payout: toPayout(payout),
    entries: page.items.map((row) => ({
      earning: toEarning(row),
      rule: row.rule_id ? ruleOf.get(row.rule_id) : undefined,
      sku: row.sku,
      title: row.title,
      quantity: row.quantity,
    })),
    nextPageToken: page.nextPageToken,
  }
}

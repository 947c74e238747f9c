import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { GetCommissionRulesRequest, GetCommissionRulesResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { toRuleMessage } from '../db/commission.ts'
import { requireStaffOrService } from './access.ts'

export async function getCommissionRules(
  ctx: VendorContext,
  request: GetCommissionRulesRequest,
  call: Call,
): Promise<GetCommissionRulesResponse> {
  requireStaffOrService(call, 'vendors.read')
  const set = request.version === undefined ? await ctx.rules.current() : await ctx.rules.find(request.version)
  if (!set) throw notFound('commission_version_not_found', 'there is no such version')
  return {
    version: set.version,
    rules: set.rules.map(toRuleMessage),
    createdAt: set.createdAt,
    createdBy: set.createdBy,
  }
}

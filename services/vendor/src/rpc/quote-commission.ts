import { type FieldViolation, failedPrecondition, invalidFields, notFound } from '@haat/kit/errors'
import type { CommissionQuoteLine, QuoteCommissionRequest, QuoteCommissionResponse } from '@haat/proto/vendor/v1/vendor'
import type { VendorContext } from '../context.ts'
import { commissionOf } from '../domain/commission.ts'

/** Far above any price; keeps every product of a quote within its type. */
const MAX_BASE_MINOR = 1_000_000_000_000_000n

export async function quoteCommission(
  ctx: VendorContext,
  request: QuoteCommissionRequest,
): Promise<QuoteCommissionResponse> {
  const faults = violationsOf(request.lines)
  if (faults.length) throw invalidFields(faults)
  const [set] = await Promise.all([ctx.rules.current(), requireVendors(ctx, request.lines)])
  if (set.version === 0n) throw failedPrecondition('commission_rules_missing', 'no commission rules were set yet')
  const quotes = request.lines.map((line) => {
    const base = line.base!
    const rule = set.match({ ...line, base })
    // The last rule of every list takes all lines.
    if (!rule) throw new Error(`commission rules ${set.version} do not decide a line`)
    return {
      lineId: line.lineId,
      commission: commissionOf(rule, base, line.quantity),
      ruleId: rule.id,
      ruleVersion: rule.version,
      percentBps: rule.percentBps,
      fixed: rule.fixed,
    }
  })
  return { quotes, version: set.version }
}

function violationsOf(lines: readonly CommissionQuoteLine[]): FieldViolation[] {
  const seen = new Set<string>()
  return lines.flatMap((line, index) => {
    const faults: FieldViolation[] = []
    if (seen.has(line.lineId))
      faults.push({ field: `lines[${index}].line_id`, rule: 'unique', message: 'must be unique in the request' })
    seen.add(line.lineId)
    const minor = line.base!.minor
    if (minor < 0n || minor > MAX_BASE_MINOR)
      faults.push({
        field: `lines[${index}].base`,
        rule: 'range',
        message: 'must not be negative, nor out of proportion',
      })
    return faults
  })
}

async function requireVendors(ctx: VendorContext, lines: readonly CommissionQuoteLine[]): Promise<void> {
  const wanted = [...new Set(lines.map((line) => line.vendorId))]
  const rows = await ctx.db.selectFrom('vendors').select('id').where('id', 'in', wanted).execute()
  const missing = wanted.find((id) => !rows.some((row) => row.id === id))
  if (missing) throw notFound('vendor_not_found', 'no such vendor', { vendorId: missing })
}

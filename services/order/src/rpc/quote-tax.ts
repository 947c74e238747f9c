import { invalid } from '@haat/kit/errors'
import type { QuoteTaxRequest, QuoteTaxResponse } from '@haat/proto/order/v1/order'
import type { OrderContext } from '../context.ts'
import { taxBps, taxOf } from '../domain/tax.ts'

export async function quoteTax(ctx: OrderContext, request: QuoteTaxRequest): Promise<QuoteTaxResponse> {
  const { rates, included } = ctx.taxes
  const lines = request.lines.map(({ lineId, taxClass, amount }) => {
    const bps = taxBps(rates, request.country, taxClass)
    if (bps === undefined)
      throw invalid('tax_class_unknown', `${request.country} has no rate for ${taxClass}`, { tax_class: taxClass })
    if (amount!.minor < 0n) throw invalid('amount_negative', 'amounts are not negative', { line_id: lineId })
    return { lineId, tax: taxOf(amount!, bps, included), bps, included }
  })
  return { lines, pricesIncludeTax: included }
}

import { isStaff, requireVendor } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { conflict, invalid, notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { violatedConstraint } from '@haat/kit/postgres'
import type { UpsertRateTableRequest, UpsertRateTableResponse } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { raiseRevision, rateBasis, toRateTable } from '../db/rate-tables.ts'
import { faultOf } from '../domain/rates.ts'

export async function upsertRateTable(
  ctx: ShippingContext,
  request: UpsertRateTableRequest,
  call: Call,
): Promise<UpsertRateTableResponse> {
  const owner = isStaff(call, 'shipping.write') ? (request.vendorId ?? null) : requireVendor(call, request.vendorId)
  const basis = rateBasis.toName(request.basis)
  const carrier = request.carrier || 'table'
  const { currency, freeFrom, minDays, maxDays } = request
  const brackets = request.brackets.map(({ upTo, amount }) => ({ upTo, amount: amount! }))
  const fault = ctx.carriers.has(carrier)
    ? faultOf({ basis, currency, brackets, freeFrom, minDays, maxDays })
    : 'there is no such carrier'
  if (fault) throw invalid('rate_table_invalid', fault)

  const values = {
    vendor_id: owner,
    code: request.code,
    label: request.label,
    carrier,
    service_level: request.serviceLevel,
    basis,
    countries: request.countries,
    currency,
    brackets: JSON.stringify(
      brackets.map(({ upTo, amount }) => ({ upTo: String(upTo), amount: String(amount.minor) })),
    ),
    free_from: freeFrom?.minor ?? null,
    min_days: minDays,
    max_days: maxDays,
    is_active: request.isActive,
    updated_at: ctx.now(),
  }
  try {
    return await ctx.db.transaction().execute(async (tx) => {
      const row = request.rateTableId
        ? await tx
            .updateTable('rate_tables')
            .set(values)
            .where('id', '=', request.rateTableId)
            .where('vendor_id', 'is not distinct from', owner)
            .returningAll()
            .executeTakeFirst()
        : await tx
            .insertInto('rate_tables')
            .values({ id: newId(), ...values, created_at: values.updated_at })
            .returningAll()
            .executeTakeFirstOrThrow()
      if (!row) throw notFound('rate_table_not_found', 'no such rate table')
      await raiseRevision(tx)
      return { rateTable: toRateTable(row) }
    })
  } catch (error) {
    if (violatedConstraint(error) === 'rate_tables_code')
      throw conflict('rate_table_code_taken', 'there is a rate table with this code', { code: request.code })
    throw error
  }
}

import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import type { DeleteRateTableRequest, DeleteRateTableResponse } from '@haat/proto/shipping/v1/shipping'
import type { ShippingContext } from '../context.ts'
import { raiseRevision } from '../db/rate-tables.ts'
import { mayTouch } from './scope.ts'

export async function deleteRateTable(
  ctx: ShippingContext,
  request: DeleteRateTableRequest,
  call: Call,
): Promise<DeleteRateTableResponse> {
  await ctx.db.transaction().execute(async (tx) => {
    const deleted = await tx
      .deleteFrom('rate_tables')
      .where('id', '=', request.rateTableId)
      .returning('vendor_id')
      .executeTakeFirst()
    // Thrown inside the transaction: a foreign table comes back.
    if (!deleted || !mayTouch(call, deleted.vendor_id, 'shipping.write', 'shipping.write'))
      throw notFound('rate_table_not_found', 'no such rate table')
    await raiseRevision(tx)
  })
  return {}
}

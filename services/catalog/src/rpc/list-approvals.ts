import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { denied } from '@haat/kit/errors'
import { withoutPending } from '@haat/kit/events/pending'
import { pageSize, toPage } from '@haat/kit/page'
import { Approval, type ListApprovalsRequest, type ListApprovalsResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { fitting } from '../db/batches.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { toCard, toChangeRequest } from '../db/messages.ts'
import { isService } from './scope.ts'

const MAX_BYTES = 2 * 1024 * 1024
const longestWait: Order = { field: 'waitingSince', direction: 1, codec: 'date' }

export async function listApprovals(
  ctx: CatalogContext,
  request: ListApprovalsRequest,
  call: Call,
): Promise<ListApprovalsResponse> {
  // A service that asks on a person's behalf may no more than the person.
  if (!isService(call) && !isStaff(call, 'catalog.review')) throw denied('permission_missing', 'you may not do this')
  const size = pageSize(request.pageSize)
  const found = await ctx.db.products
    .find(
      {
        waitingSince: { $type: 'date' },
        ...(request.vendorId ? { vendorId: request.vendorId } : {}),
        ...afterToken(request.pageToken, longestWait),
      },
      { projection: withoutPending },
    )
    .sort(sortOf(longestWait))
    .limit(size + 1)
    .toArray()
  const messages = found.slice(0, size).map((product): Approval => {
    const { openChangeRequest } = product
    return {
      product: toCard(ctx.media, product, true),
      changeRequest: openChangeRequest ? toChangeRequest(openChangeRequest) : undefined,
      submittedAt: product.waitingSince!,
    }
  })
  const approvals = fitting(messages, MAX_BYTES, (message) => Approval.encode(message).finish().length)
  const { nextPageToken } = toPage(found, approvals.length, (product) => cursorOf(longestWait, product))
  return { approvals, nextPageToken }
}

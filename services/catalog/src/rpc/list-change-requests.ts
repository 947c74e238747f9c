import type { Call } from '@haat/kit/call'
import { pageSize, toPage } from '@haat/kit/page'
import {
  ChangeRequest,
  type ListChangeRequestsRequest,
  type ListChangeRequestsResponse,
} from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { fitting } from '../db/batches.ts'
import { afterToken, cursorOf, type Order, sortOf } from '../db/cursor.ts'
import { changeRequestStatus, toChangeRequest } from '../db/messages.ts'
import { scopeOf } from './scope.ts'

const MAX_BYTES = 2 * 1024 * 1024
const newest: Order = { field: 'submittedAt', direction: -1, codec: 'date' }

export async function listChangeRequests(
  ctx: CatalogContext,
  request: ListChangeRequestsRequest,
  call: Call,
): Promise<ListChangeRequestsResponse> {
  const size = pageSize(request.pageSize)
  const vendorId = scopeOf(call, request.vendorId, 'catalog.read', 'catalog.review')
  const found = await ctx.db.changeRequests
    .find({
      ...(vendorId ? { vendorId } : {}),
      ...(request.productId ? { productId: request.productId } : {}),
      ...(request.status ? { status: changeRequestStatus.toName(request.status) } : {}),
      ...afterToken(request.pageToken, newest),
    })
    .sort(sortOf(newest))
    .limit(size + 1)
    .toArray()
  const messages = found.slice(0, size).map(toChangeRequest)
  const changeRequests = fitting(messages, MAX_BYTES, (message) => ChangeRequest.encode(message).finish().length)
  const { nextPageToken } = toPage(found, changeRequests.length, (row) => cursorOf(newest, row))
  return { changeRequests, nextPageToken }
}

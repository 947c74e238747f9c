import { withoutPending } from '@haat/kit/events/pending'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import {
  type ListProductSnapshotsRequest,
  type ListProductSnapshotsResponse,
  ProductSnapshot,
} from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { fitting } from '../db/batches.ts'
import { toSnapshot } from '../db/messages.ts'

const MAX_BYTES = 2 * 1024 * 1024

export async function listProductSnapshots(
  ctx: CatalogContext,
  request: ListProductSnapshotsRequest,
): Promise<ListProductSnapshotsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  const found = await ctx.db.products
    .find(
      { status: { $ne: 'draft' }, ...(after ? { _id: { $gt: String(after[0]) } } : {}) },
      { projection: withoutPending },
    )
    .sort({ _id: 1 })
    .limit(size + 1)
    .toArray()
  // After the products, so that none is told with categories older than itself.
  const tree = await ctx.categories.current()
  const snapshots = found.slice(0, size).map((product) => toSnapshot(ctx.media, tree, product))
  const products = fitting(snapshots, MAX_BYTES, (snapshot) => ProductSnapshot.encode(snapshot).finish().length)
  return { products, nextPageToken: toPage(found, products.length, (product) => [product._id]).nextPageToken }
}

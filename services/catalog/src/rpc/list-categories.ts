import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import type { ListCategoriesRequest, ListCategoriesResponse } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { toCategory } from '../db/categories.ts'

export async function listCategories(
  ctx: CatalogContext,
  request: ListCategoriesRequest,
  call: Call,
): Promise<ListCategoriesResponse> {
  const tree = await ctx.categories.recent()
  const all = request.includeInactive && isStaff(call, 'catalog.read')
  const below =
    request.parentId === undefined || tree.find(request.parentId) ? tree.below(request.parentId ?? null) : []
  return {
    categories: below.filter((node) => all || tree.isShown(node._id)).map((node) => toCategory(tree, node)),
  }
}

import { aborted, conflict, failedPrecondition, notFound } from '@haat/kit/errors'
import { pendEvent } from '@haat/kit/events/pending'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { UpdateCategoryRequest, UpdateCategoryResponse } from '@haat/proto/catalog/v1/catalog'
import { CategoryUpdated } from '@haat/proto/catalog/v1/events'
import type { CatalogContext } from '../context.ts'
import { rewritePaths, toCategory } from '../db/categories.ts'
import type { CategoryDocument } from '../db/collections.ts'
import { categoryTree, MAX_DEPTH } from '../domain/category-tree.ts'

export async function updateCategory(
  ctx: CatalogContext,
  request: UpdateCategoryRequest,
): Promise<UpdateCategoryResponse> {
  const { categoryId } = request
  const category = await ctx.alone('categories', async () => {
    const tree = await ctx.categories.current()
    const before = tree.find(categoryId)
    if (!before) throw notFound('category_not_found', 'no such category')
    const wanted = {
      name: request.name ?? before.name,
      slug: request.slug ?? before.slug,
      parentId: request.parentId === undefined ? before.parentId : request.parentId || null,
      sortOrder: request.sortOrder ?? before.sortOrder,
      isActive: request.isActive ?? before.isActive,
    }
    if (wanted.parentId && wanted.parentId !== before.parentId) {
      if (!tree.find(wanted.parentId)) throw notFound('category_not_found', 'no such parent category')
      if (tree.subtree(categoryId).includes(wanted.parentId))
        throw failedPrecondition('category_cycle', 'the parent is the category itself or below it')
      if (tree.depth(wanted.parentId) + 1 + tree.height(categoryId) > MAX_DEPTH)
        throw failedPrecondition('category_too_deep', `at most ${MAX_DEPTH} levels`)
    }
    const same = (Object.keys(wanted) as (keyof typeof wanted)[]).every((field) => wanted[field] === before[field])
    if (same) return toCategory(tree, before)

    const at = ctx.now()
    const after: CategoryDocument = { ...before, ...wanted, version: before.version + 1, updatedAt: at }
    const next = categoryTree(tree.below(null).map((node) => (node._id === categoryId ? after : node)))
    const message = toCategory(next, after)
    const event = pendEvent(
      CategoryUpdated,
      { categoryId, category: message, oldPath: tree.path(categoryId) },
      after.version,
    )
    const { path, depth } = message
    // The category's parent and slug are the truth; with them goes the mark that lets the rest follow, whatever happens here.
    const written = await ctx.db.categories
      .updateOne(
        { _id: categoryId, version: before.version },
        {
          $set: { ...wanted, path, depth, version: after.version, updatedAt: at, refreshSince: at },
          $push: { pendingEvents: event },
        },
      )
      .catch((error) => {
        throw isDuplicateKey(error, 'slug') ? conflict('slug_taken', `the slug ${wanted.slug} is taken`) : error
      })
    if (!written.matchedCount) throw aborted('category_busy', 'somebody else changed the category; try again')
    await ctx.categories.changed()
    await rewritePaths(ctx.db, next)
    return message
  })
  ctx.wakeEvents('categories', [categoryId])
  return { category }
}

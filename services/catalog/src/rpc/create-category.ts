import { conflict, failedPrecondition, notFound } from '@haat/kit/errors'
import { pendEvent } from '@haat/kit/events/pending'
import { newId } from '@haat/kit/id'
import { isDuplicateKey } from '@haat/kit/mongo'
import type { CreateCategoryRequest, CreateCategoryResponse } from '@haat/proto/catalog/v1/catalog'
import { CategoryCreated } from '@haat/proto/catalog/v1/events'
import type { CatalogContext } from '../context.ts'
import { toCategory } from '../db/categories.ts'
import type { CategoryDocument } from '../db/collections.ts'
import { categoryTree, MAX_CATEGORIES, MAX_DEPTH } from '../domain/category-tree.ts'
import { makeSlug } from '../domain/slug.ts'

export async function createCategory(
  ctx: CatalogContext,
  request: CreateCategoryRequest,
): Promise<CreateCategoryResponse> {
  const category = await ctx.alone('categories', async () => {
    const tree = await ctx.categories.current()
    const parentId = request.parentId ?? null
    if (parentId && !tree.find(parentId)) throw notFound('category_not_found', 'no such parent category')
    if (tree.size >= MAX_CATEGORIES) throw failedPrecondition('category_limit_reached', `at most ${MAX_CATEGORIES}`)
    if (parentId && tree.depth(parentId) + 2 > MAX_DEPTH)
      throw failedPrecondition('category_too_deep', `at most ${MAX_DEPTH} levels`)
    const id = newId()
    const at = ctx.now()
    const slug = request.slug ?? makeSlug(request.name, 'category', /[a-z0-9]/i.test(request.name) ? '' : id.slice(-6))
    const node: CategoryDocument = {
      _id: id,
      name: request.name,
      slug,
      parentId,
      path: parentId ? `${tree.path(parentId)}>${slug}` : slug,
      depth: parentId ? tree.depth(parentId) + 1 : 0,
      isActive: !request.inactive,
      sortOrder: request.sortOrder,
      version: 1,
      createdAt: at,
      updatedAt: at,
    }
    const message = toCategory(categoryTree([...tree.below(null), node]), node)
    const pendingEvents = [pendEvent(CategoryCreated, { categoryId: id, category: message }, 1)]
    await ctx.db.categories.insertOne({ ...node, pendingEvents }).catch((error) => {
      throw isDuplicateKey(error, 'slug') ? conflict('slug_taken', `the slug ${slug} is taken`) : error
    })
    await ctx.categories.changed()
    return message
  })
  ctx.wakeEvents('categories', [category.id])
  return { category }
}

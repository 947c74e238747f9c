import { withoutPending } from '@haat/kit/events/pending'
import type { Category } from '@haat/proto/catalog/v1/catalog'
import { type CategoryTree, categoryTree } from '../domain/category-tree.ts'
import type { CategoryDocument, Collections } from './collections.ts'

export type Tree = CategoryTree<CategoryDocument>

/** All categories in memory, with a version in the database that says whether they are still right. */
export type CategoryCache = {
  /** As they are now. Writers of products read the product first and this after, so that a change is never missed. */
  current(): Promise<Tree>
  /** At most a second old; for reads. */
  recent(): Promise<Tree>
  /** Tells every process that a category has changed. */
  changed(): Promise<void>
}

const VERSION = 'categories'
const RECENT_MS = 1_000
/** A process that died between a change and `changed()` is noticed after this. */
const RELOAD_MS = 60_000

export function createCategoryCache(db: Collections): CategoryCache {
  let cached: { tree: Tree; version: number; loadedAt: number; checkedAt: number } | undefined
  const current = async () => {
    const now = Date.now()
    const version = (await db.meta.findOne({ _id: VERSION }))?.version ?? 0
    if (cached?.version !== version || now - cached.loadedAt > RELOAD_MS) {
      const all = await db.categories.find({}, { projection: withoutPending }).toArray()
      cached = { tree: categoryTree(all), version, loadedAt: now, checkedAt: now }
    }
    cached.checkedAt = now
    return cached.tree
  }
  return {
    current,
    recent: () => (cached && Date.now() - cached.checkedAt < RECENT_MS ? Promise.resolve(cached.tree) : current()),
    async changed() {
      await db.meta.updateOne({ _id: VERSION }, { $inc: { version: 1 } }, { upsert: true })
      if (cached) cached.checkedAt = 0
    },
  }
}

/** Writes down path and depth of every category whose stored ones are not what its parents say. */
export async function rewritePaths(db: Collections, tree: Tree): Promise<void> {
  const wrong = tree
    .below(null)
    .filter((node) => node.path !== tree.path(node._id) || node.depth !== tree.depth(node._id))
  if (wrong.length === 0) return
  await db.categories.bulkWrite(
    wrong.map((node) => ({
      updateOne: {
        filter: { _id: node._id, slug: node.slug, parentId: node.parentId },
        update: { $set: { path: tree.path(node._id), depth: tree.depth(node._id) } },
      },
    })),
    { ordered: false },
  )
}

export const toCategory = (tree: Tree, node: CategoryDocument): Category => ({
  id: node._id,
  name: node.name,
  slug: node.slug,
  parentId: node.parentId ?? undefined,
  path: tree.path(node._id),
  depth: tree.depth(node._id),
  isActive: node.isActive,
  sortOrder: node.sortOrder,
  createdAt: node.createdAt,
  updatedAt: node.updatedAt,
})

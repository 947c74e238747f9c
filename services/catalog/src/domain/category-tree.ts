export type CategoryNode = {
  _id: string
  name: string
  slug: string
  parentId: string | null
  isActive: boolean
  sortOrder: number
}

export const MAX_DEPTH = 6
export const MAX_CATEGORIES = 5000

/** All categories. Everything follows from each one's parent and slug; a stored path is never trusted. */
export type CategoryTree<Node extends CategoryNode = CategoryNode> = {
  size: number
  find(id: string): Node | undefined
  findBySlug(slug: string): Node | undefined
  /** From the root down to the category itself; empty for an unknown one. */
  lineage(id: string): Node[]
  /** Slugs from the root: `electronics>phones`. */
  path(id: string): string
  /** 0 at the root. */
  depth(id: string): number
  /** Neither the category nor an ancestor is hidden. */
  isShown(id: string): boolean
  /** Below one category, or (null) all: parents first, then sort order, then name. */
  below(id: string | null): Node[]
  /** Ids of the category and everything below it. */
  subtree(id: string): string[]
  /** Levels from the category down to its deepest descendant, itself included. */
  height(id: string): number
  /** Categories with all their ancestors, without repeats, each after its ancestors. */
  withAncestors(ids: readonly string[]): Node[]
}

export function categoryTree<Node extends CategoryNode>(nodes: readonly Node[]): CategoryTree<Node> {
  const byId = new Map(nodes.map((node) => [node._id, node]))
  const bySlug = new Map(nodes.map((node) => [node.slug, node]))
  const children = Map.groupBy(nodes, (node) => node.parentId)
  for (const siblings of children.values())
    siblings.sort((a, b) => a.sortOrder - b.sortOrder || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

  const lineage = (id: string): Node[] => {
    const line: Node[] = []
    for (let node = byId.get(id); node && !line.includes(node); node = byId.get(node.parentId ?? '')) line.unshift(node)
    return line
  }
  const below = (id: string | null): Node[] => {
    const found = new Set<Node>()
    const visit = (parent: string | null) => {
      for (const child of children.get(parent) ?? []) {
        if (found.has(child)) continue
        found.add(child)
        visit(child._id)
      }
    }
    visit(id)
    return [...found]
  }
  const depth = (id: string) => lineage(id).length - 1
  const subtree = (id: string) => [id, ...below(id).map((node) => node._id)]
  return {
    size: byId.size,
    find: (id) => byId.get(id),
    findBySlug: (slug) => bySlug.get(slug),
    lineage,
    path: (id) =>
      lineage(id)
        .map((node) => node.slug)
        .join('>'),
    depth,
    isShown: (id) => byId.has(id) && lineage(id).every((node) => node.isActive),
    below,
    subtree,
    height: (id) => Math.max(...subtree(id).map(depth)) - depth(id) + 1,
    withAncestors: (ids) => [...new Set(ids.flatMap(lineage))],
  }
}

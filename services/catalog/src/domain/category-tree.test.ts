import { expect, test } from 'vitest'
import { type CategoryNode, categoryTree } from './category-tree.ts'

const node = (_id: string, parentId: string | null, more: Partial<CategoryNode> = {}): CategoryNode => ({
  _id,
  name: _id,
  slug: `${_id}-slug`,
  parentId,
  isActive: true,
  sortOrder: 0,
  ...more,
})
const tree = categoryTree([
  node('phones', 'electronics'),
  node('electronics', null, { sortOrder: 2 }),
  node('smart', 'phones', { isActive: false }),
  node('android', 'smart'),
  node('books', null, { sortOrder: 1 }),
])

test('paths, depths and heights follow from parents', () => {
  expect(tree.path('android')).toBe('electronics-slug>phones-slug>smart-slug>android-slug')
  expect([tree.depth('electronics'), tree.depth('android'), tree.height('phones'), tree.height('android')]).toEqual([
    0, 3, 3, 1,
  ])
  expect(tree.subtree('phones')).toEqual(['phones', 'smart', 'android'])
})

test('parents come before children, siblings by order', () => {
  expect(tree.below(null).map((n) => n._id)).toEqual(['books', 'electronics', 'phones', 'smart', 'android'])
})

test('a hidden ancestor hides, an unknown id is nothing', () => {
  expect([tree.isShown('phones'), tree.isShown('android'), tree.isShown('nope')]).toEqual([true, false, false])
  expect([tree.path('nope'), tree.lineage('nope')]).toEqual(['', []])
})

test('ancestors of several categories come once', () => {
  expect(tree.withAncestors(['smart', 'phones', 'books']).map((n) => n._id)).toEqual([
    'electronics',
    'phones',
    'smart',
    'books',
  ])
})

test('a ring, should there ever be one, ends', () => {
  const ring = categoryTree([node('a', 'b'), node('b', 'a')])
  expect(ring.path('a')).toBe('b-slug>a-slug')
  expect(ring.subtree('a')).toEqual(['a', 'b', 'a'])
})

import { expect, test } from 'vitest'
import { type Action, editMode, missingParts, nextStatus } from './approval.ts'
import type { ProductStatus } from './product.ts'

const actions: Action[] = ['submit', 'approve', 'reject', 'archive']
const statuses: ProductStatus[] = ['draft', 'pending', 'active', 'archived']

test('these are all the ways from one status to another', () => {
  const ways = statuses.flatMap((from) => actions.map((action) => `${action} ${from} → ${nextStatus(action, from)}`))
  expect(ways.filter((way) => !way.endsWith('undefined'))).toEqual([
    'submit draft → pending',
    'archive draft → archived',
    'approve pending → active',
    'reject pending → draft',
    'archive pending → archived',
    'archive active → archived',
    'archive archived → archived',
  ])
})

test('only a vendor on a live product waits, and nobody edits an archived one', () => {
  expect(statuses.map((status) => editMode(status, 'vendor'))).toEqual(['apply', 'apply', 'review', 'refuse'])
  expect(statuses.map((status) => editMode(status, 'staff'))).toEqual(['apply', 'apply', 'apply', 'refuse'])
})

test('a product without anything lacks everything but a price that nothing needs', () => {
  const bare = { categoryIds: [], images: [], description: ' ', variants: [] }
  expect(missingParts(bare)).toEqual(['category', 'image', 'description', 'variant'])
})

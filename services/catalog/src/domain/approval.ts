import type { Product, ProductStatus } from './product.ts'

export type Action = 'submit' | 'approve' | 'reject' | 'archive'

/** Where an action takes a product; an action that is missing is not possible. */
const transitions: Record<Action, Partial<Record<ProductStatus, ProductStatus>>> = {
  submit: { draft: 'pending' },
  approve: { pending: 'active' },
  reject: { pending: 'draft' },
  archive: { draft: 'archived', pending: 'archived', active: 'archived', archived: 'archived' },
}

export const nextStatus = (action: Action, from: ProductStatus): ProductStatus | undefined => transitions[action][from]

/** What an edit does in a status: apply, wait for review where it is substantive, or nothing. */
const edits: Record<ProductStatus, { vendor: 'apply' | 'review' | 'refuse'; staff: 'apply' | 'refuse' }> = {
  draft: { vendor: 'apply', staff: 'apply' },
  pending: { vendor: 'apply', staff: 'apply' },
  active: { vendor: 'review', staff: 'apply' },
  archived: { vendor: 'refuse', staff: 'refuse' },
}

export const editMode = (status: ProductStatus, by: 'vendor' | 'staff') => edits[status][by]

/** What a product lacks to be shown. */
export function missingParts(product: Pick<Product, 'categoryIds' | 'images' | 'description' | 'variants'>): string[] {
  const active = product.variants.filter((variant) => variant.isActive)
  const complete = {
    category: product.categoryIds.length > 0,
    image: product.images.length > 0,
    description: product.description.trim() !== '',
    variant: active.length > 0,
    price: active.every((variant) => variant.price.minor > 0n),
  }
  return Object.entries(complete).flatMap(([part, there]) => (there ? [] : [part]))
}

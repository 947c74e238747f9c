import { equals } from '@haat/money/compare'
import { applyChanges, diffContent, needsReview, toJson } from './changes.ts'
import { derive } from './derive.ts'
import type { Change, ChangeRequest, Content, PriceChange, Product, Variant } from './product.ts'

/** Who does something, and when. */
export type Edit = { by: string; at: Date; newId: () => string }

const NO_ROWS = { prices: [], changeRequests: [] }

/** A new draft, first prices in `unsaved`. */
export function createProduct(
  given: { vendorId: string; slug: string; content: Content; brandName: string; vendorActive: boolean },
  edit: Edit,
): Product {
  const { at, newId } = edit
  const { variants, ...content } = given.content
  const product = derive({
    _id: newId(),
    vendorId: given.vendorId,
    slug: given.slug,
    ...content,
    brandName: given.brandName,
    variants: variants.map((variant): Variant => ({ ...variant, id: newId(), createdAt: at, updatedAt: at })),
    status: 'draft',
    ratingAvg: 0,
    ratingCount: 0,
    ratingVersion: 0,
    version: 1,
    revision: 1,
    rejectionReason: '',
    openChangeRequest: null,
    waitingSince: null,
    vendorActive: given.vendorActive,
    createdAt: at,
    updatedAt: at,
    publishedAt: null,
    unsaved: NO_ROWS,
  })
  return {
    ...product,
    unsaved: { ...NO_ROWS, prices: product.variants.map((variant) => priceRow(product, variant, null, edit)) },
  }
}

/** The next state of a product after a person's change: one version on, derived fields up to date. */
export const nextVersion = (product: Product, changes: Partial<Product>, at: Date): Product =>
  derive({ ...product, ...changes, version: product.version + 1, revision: product.revision + 1, updatedAt: at })

/** The product with changes made, and rows for the prices that are new. */
export function withChanges(
  product: Product,
  changes: readonly Change[],
  edit: Edit,
): { next: Product; prices: PriceChange[] } {
  const changed = applyChanges(product, changes, edit.at, edit.newId)
  const prices = changed.variants.flatMap((variant) => {
    const before = product.variants.find(({ id }) => id === variant.id)
    return before && samePrice(before, variant) ? [] : [priceRow(product, variant, before?.price ?? null, edit)]
  })
  return {
    next: { ...changed, unsaved: { ...changed.unsaved, prices: [...changed.unsaved.prices, ...prices] } },
    prices,
  }
}

const samePrice = (a: Variant, b: Variant): boolean =>
  equals(a.price, b.price) && (a.compareAtPrice?.minor ?? null) === (b.compareAtPrice?.minor ?? null)

const priceRow = (product: Product, variant: Variant, oldPrice: PriceChange['oldPrice'], edit: Edit): PriceChange => ({
  _id: edit.newId(),
  variantId: variant.id,
  sku: variant.sku,
  productId: product._id,
  vendorId: product.vendorId,
  oldPrice,
  price: variant.price,
  compareAtPrice: variant.compareAtPrice,
  changedBy: edit.by,
  changedAt: edit.at,
})

export type EditResult = {
  next: Product
  /** What took effect. */
  applied: Change[]
  prices: PriceChange[]
  /** The change request that waits now, when this edit opened one. */
  opened: ChangeRequest | null
}

/**
 * Gives a product new content. In mode `review` the substantive part becomes a change request, which supersedes one that is
 * still open; an edit without such a part leaves an open one alone. Undefined when nothing changes.
 */
export function editProduct(
  product: Product,
  wanted: Content & { brandName: string },
  mode: 'apply' | 'review',
  edit: Edit,
): EditResult | undefined {
  const { brandName, ...content } = wanted
  const changes = diffContent(product, content)
  const waiting = mode === 'review' ? changes.filter(needsReview) : []
  const applied = mode === 'review' ? changes.filter((change) => !needsReview(change)) : changes
  const open = product.openChangeRequest
  const isRepeat = open !== null && waiting.length > 0 && sameChanges(open.changes, waiting)
  const opensNew = waiting.length > 0 && !isRepeat
  if (applied.length === 0 && !opensNew) return undefined

  const { next: changed, prices } = withChanges(product, applied, edit)
  const rows = opensNew && open ? [decided(open, 'superseded', edit)] : []
  const opened: ChangeRequest | null = opensNew
    ? {
        _id: edit.newId(),
        productId: product._id,
        productTitle: product.title,
        vendorId: product.vendorId,
        status: 'pending',
        changes: waiting,
        baseVersion: product.version,
        reason: '',
        submittedBy: edit.by,
        submittedAt: edit.at,
        decidedBy: null,
        decidedAt: null,
      }
    : null
  const next = nextVersion(
    changed,
    {
      ...(applied.some((change) => change.sku === null && change.field === 'brandId') ? { brandName } : {}),
      ...(opened ? { openChangeRequest: opened, waitingSince: edit.at } : {}),
      unsaved: {
        prices: changed.unsaved.prices,
        changeRequests: [...changed.unsaved.changeRequests, ...rows, ...(opened ? [opened] : [])],
      },
    },
    edit.at,
  )
  return { next, applied, prices, opened }
}

const sameChanges = (a: readonly Change[], b: readonly Change[]): boolean => {
  const key = (changes: readonly Change[]) => toJson(changes.map(({ sku, field, after }) => ({ sku, field, after })))
  return key(a) === key(b)
}

/** A change request as it is kept once somebody has decided on it. */
export const decided = (
  request: ChangeRequest,
  status: 'approved' | 'rejected' | 'superseded',
  edit: Pick<Edit, 'by' | 'at'>,
  reason = '',
): ChangeRequest => ({ ...request, status, reason, decidedBy: edit.by, decidedAt: edit.at })

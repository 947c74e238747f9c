import type { Envelope } from '@haat/kit/events/envelope'
import { pendEvent } from '@haat/kit/events/pending'
import {
  ProductApproved,
  ProductArchived,
  ProductCreated,
  ProductIndexRequested,
  ProductPriceUpdated,
  ProductRejected,
  ProductSubmitted,
  ProductUpdated,
} from '@haat/proto/catalog/v1/events'
import type { PriceChange, Product } from '../domain/product.ts'
import type { MediaStore } from '../media/media-store.ts'
import type { Tree } from './categories.ts'
import { productStatus, toSnapshot } from './messages.ts'

const common = (product: Product) => ({
  productId: product._id,
  vendorId: product.vendorId,
  slug: product.slug,
  title: product.title,
})
const withSkus = (product: Product) => ({ ...common(product), skus: product.variants.map((variant) => variant.sku) })
const sellable = (product: Product) => (product.visible ? product.skus : [])

export const created = (product: Product): Envelope => pendEvent(ProductCreated, withSkus(product), product.revision)

export const submitted = (product: Product, submittedBy: string, changeRequestId?: string): Envelope =>
  pendEvent(ProductSubmitted, { ...withSkus(product), changeRequestId, submittedBy }, product.revision)

export const updated = (product: Product, changedFields: string[]): Envelope =>
  pendEvent(
    ProductUpdated,
    {
      ...withSkus(product),
      sellableSkus: sellable(product),
      visible: product.visible,
      status: productStatus.fromName(product.status),
      changedFields,
      productVersion: BigInt(product.revision),
    },
    product.revision,
  )

export const approved = (
  product: Product,
  approvedBy: string,
  { changeRequestId, imported = false }: { changeRequestId?: string | undefined; imported?: boolean } = {},
): Envelope =>
  pendEvent(
    ProductApproved,
    {
      ...withSkus(product),
      changeRequestId,
      approvedBy,
      sellableSkus: sellable(product),
      productVersion: BigInt(product.revision),
      imported,
    },
    product.revision,
  )

export const rejected = (product: Product, rejectedBy: string, reason: string, changeRequestId?: string): Envelope =>
  pendEvent(ProductRejected, { ...withSkus(product), changeRequestId, rejectedBy, reason }, product.revision)

export const archived = (product: Product): Envelope => pendEvent(ProductArchived, withSkus(product), product.revision)

export const priceUpdated = (product: Product, change: PriceChange): Envelope =>
  pendEvent(
    ProductPriceUpdated,
    {
      ...common(product),
      sku: change.sku,
      oldPrice: change.oldPrice ?? undefined,
      price: change.price,
      compareAtPrice: change.compareAtPrice ?? undefined,
      changedAt: change.changedAt,
    },
    product.revision,
  )

export const indexRequested = (urls: Pick<MediaStore, 'publicUrl'>, tree: Tree, product: Product): Envelope =>
  pendEvent(ProductIndexRequested, { ...withSkus(product), product: toSnapshot(urls, tree, product) }, product.revision)

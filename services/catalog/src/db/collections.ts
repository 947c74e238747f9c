import type { Pending } from '@haat/kit/events/pending'
import type { Collection, Db } from 'mongodb'
import type { ChangeRequest, PriceChange, Product, Variant } from '../domain/product.ts'

export type CategoryDocument = Pending & {
  _id: string
  name: string
  slug: string
  parentId: string | null
  /** For readers of the database; the service works it out from parents and slugs. */
  path: string
  depth: number
  isActive: boolean
  sortOrder: number
  version: number
  /** Set while products still have to follow this category's last change. */
  refreshSince?: Date
  createdAt: Date
  updatedAt: Date
}

export type BrandDocument = Pending & {
  _id: string
  name: string
  /** The name without case and spacing: unique. */
  nameKey: string
  slug: string
  logoUrl: string
  isActive: boolean
  version: number
  refreshSince?: Date
  createdAt: Date
  updatedAt: Date
}

export type ProductDocument = Pending & Product

/**
 * A variant's row: the claim on its SKU, written before the product has it, and a copy of what the product says, which
 * follows after. `_id` is the variant's id, a UUIDv7 made when the SKU was claimed.
 */
export type VariantDocument = Omit<Variant, 'id'> & {
  _id: string
  productId: string
  vendorId: string
  /** The product's, when this was copied. */
  revision: number
}

/** What catalog knows of a vendor. */
export type VendorDocument = {
  _id: string
  name: string
  slug: string
  isActive: boolean
  /** Of the last event that was applied; 0 when the vendor service was asked. */
  sequence: number
}

export type Purpose = 'product' | 'brand_logo' | 'vendor_logo' | 'review'

export type UploadDocument = {
  _id: string
  purpose: Purpose
  vendorId: string | null
  uploadedBy: string
  contentType: string
  sizeBytes: number
  createdAt: Date
  expiresAt: Date
  /** Taken in; the row stays until its address no longer takes bytes, so that what comes late is deleted too. */
  completedAt?: Date
}

/** An image; `_id` is its upload's, or for a linked one made of vendor and address. */
export type MediaDocument = {
  _id: string
  purpose: Purpose
  vendorId: string | null
  uploadedBy: string
  width: number
  height: number
  /** Where it lies when it was not uploaded. */
  url: string | null
  createdAt: Date
}

export type MetaDocument = { _id: string; version: number }

export type Collections = {
  categories: Collection<CategoryDocument>
  brands: Collection<BrandDocument>
  products: Collection<ProductDocument>
  variants: Collection<VariantDocument>
  priceHistory: Collection<PriceChange>
  changeRequests: Collection<ChangeRequest>
  vendors: Collection<VendorDocument>
  uploads: Collection<UploadDocument>
  media: Collection<MediaDocument>
  meta: Collection<MetaDocument>
}

/** Collections whose documents carry pending events. */
export const eventCollections = ['products', 'categories', 'brands']

/** The collections, with their indexes. */
export async function openCollections(db: Db): Promise<Collections> {
  const collections: Collections = {
    categories: db.collection('categories'),
    brands: db.collection('brands'),
    products: db.collection('products'),
    variants: db.collection('variants'),
    priceHistory: db.collection('price_history'),
    changeRequests: db.collection('change_requests'),
    vendors: db.collection('vendors'),
    uploads: db.collection('uploads'),
    media: db.collection('media'),
    meta: db.collection('meta'),
  }
  await Promise.all([
    collections.categories.createIndexes([
      { key: { slug: 1 }, name: 'slug', unique: true },
      { key: { refreshSince: 1 }, name: 'refresh', sparse: true },
    ]),
    collections.brands.createIndexes([
      { key: { nameKey: 1 }, name: 'nameKey', unique: true },
      { key: { slug: 1 }, name: 'slug', unique: true },
      { key: { refreshSince: 1 }, name: 'refresh', sparse: true },
    ]),
    collections.products.createIndexes([
      { key: { slug: 1 }, name: 'slug', unique: true },
      { key: { vendorId: 1, updatedAt: -1, _id: -1 }, name: 'vendor_updated' },
      { key: { updatedAt: -1, _id: -1 }, name: 'updated' },
      { key: { visible: 1, publishedAt: -1, _id: -1 }, name: 'visible_newest' },
      { key: { visible: 1, cheapFirst: 1, _id: 1 }, name: 'visible_cheap' },
      { key: { visible: 1, dearFirst: -1, _id: -1 }, name: 'visible_dear' },
      { key: { visible: 1, ratingRank: -1, _id: -1 }, name: 'visible_rating' },
      { key: { categoryIds: 1, visible: 1, publishedAt: -1, _id: -1 }, name: 'category_newest' },
      { key: { categoryIds: 1, visible: 1, cheapFirst: 1, _id: 1 }, name: 'category_cheap' },
      { key: { categoryIds: 1, visible: 1, dearFirst: -1, _id: -1 }, name: 'category_dear' },
      { key: { categoryIds: 1, visible: 1, ratingRank: -1, _id: -1 }, name: 'category_rating' },
      { key: { brandId: 1, visible: 1, publishedAt: -1 }, name: 'brand' },
      { key: { tokens: 1 }, name: 'tokens' },
      { key: { barcodes: 1 }, name: 'barcodes' },
      { key: { 'variants.sku': 1 }, name: 'variants_sku' },
      { key: { waitingSince: 1, _id: 1 }, name: 'waiting' },
      { key: { unprojectedSince: 1 }, name: 'unprojected', sparse: true },
      { key: { vendorActive: 1, vendorId: 1 }, name: 'vendor_active' },
    ]),
    collections.variants.createIndexes([
      { key: { sku: 1 }, name: 'sku', unique: true },
      { key: { productId: 1 }, name: 'productId' },
      { key: { vendorId: 1 }, name: 'vendorId' },
      { key: { barcode: 1 }, name: 'barcode' },
    ]),
    collections.priceHistory.createIndexes([{ key: { variantId: 1, changedAt: -1, _id: -1 }, name: 'variant' }]),
    collections.changeRequests.createIndexes([
      { key: { vendorId: 1, submittedAt: -1, _id: -1 }, name: 'vendor' },
      { key: { productId: 1, submittedAt: -1, _id: -1 }, name: 'product' },
      { key: { submittedAt: -1, _id: -1 }, name: 'submitted' },
    ]),
    collections.vendors.createIndexes([{ key: { slug: 1 }, name: 'slug' }]),
    collections.uploads.createIndexes([
      { key: { uploadedBy: 1, expiresAt: 1 }, name: 'uploadedBy' },
      { key: { expiresAt: 1 }, name: 'expiresAt' },
    ]),
    collections.media.createIndexes([{ key: { uploadedBy: 1 }, name: 'uploadedBy' }]),
  ])
  return collections
}

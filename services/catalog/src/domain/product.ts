import type { Money } from '@haat/money/money'

export type ProductStatus = 'draft' | 'pending' | 'active' | 'archived'
export type ChangeRequestStatus = 'pending' | 'approved' | 'rejected' | 'superseded'

/** An entry of what the contract has as a map: a vendor's own words never become field names. */
export type Pair = { name: string; value: string }
export type ProductOption = { name: string; values: string[] }
/** `url` is set when the image lies elsewhere; its size is unknown then. */
export type ProductImage = { id: string; alt: string; width: number; height: number; url: string | null }
export type Seo = { title: string; description: string; keywords: string[] }
export type Dimensions = { lengthMm: number; widthMm: number; heightMm: number }

/** What a person writes of a variant. Pairs are sorted by name, so that equal content is equal. */
export type VariantContent = {
  sku: string
  optionValues: Pair[]
  price: Money
  compareAtPrice: Money | null
  taxClass: string
  weightGrams: number
  dimensions: Dimensions | null
  barcode: string
  imageId: string | null
  isActive: boolean
}

/** What a person writes of a product. */
export type Content = {
  title: string
  description: string
  categoryIds: string[]
  brandId: string | null
  images: ProductImage[]
  attributes: Pair[]
  options: ProductOption[]
  seo: Seo
  variants: VariantContent[]
}

export type Variant = VariantContent & { id: string; createdAt: Date; updatedAt: Date }

/** One difference: of the product, of the variant `sku`, or (field `variant`) a variant that is new. */
export type Change = { sku: string | null; field: string; before: unknown; after: unknown }

export type ChangeRequest = {
  _id: string
  productId: string
  productTitle: string
  vendorId: string
  status: ChangeRequestStatus
  changes: Change[]
  baseVersion: number
  reason: string
  submittedBy: string
  submittedAt: Date
  decidedBy: string | null
  decidedAt: Date | null
}

export type PriceChange = {
  _id: string
  variantId: string
  sku: string
  productId: string
  vendorId: string
  oldPrice: Money | null
  price: Money
  compareAtPrice: Money | null
  changedBy: string
  changedAt: Date
}

/** What follows from the rest of a product and is stored for finding and sorting. */
export type Derived = {
  /** Active, and its vendor is: the storefront shows it. */
  visible: boolean
  /** SKUs of active variants, in the product's order. */
  skus: string[]
  /** All variants'. */
  barcodes: string[]
  /** Over the active variants. */
  price: { currency: string; min: bigint; max: bigint; compareAt: bigint | null } | null
  /** The lowest price; without one, last in either order. */
  cheapFirst: bigint
  dearFirst: bigint
  ratingRank: number
  titleKey: string
  tokens: string[]
}

/**
 * A product with everything that must change together: its variants, the change request that waits, and rows that other
 * collections will get (`unsaved`).
 */
export type Product = Omit<Content, 'variants'> &
  Derived & {
    _id: string
    vendorId: string
    slug: string
    status: ProductStatus
    variants: Variant[]
    brandName: string
    ratingAvg: number
    ratingCount: number
    ratingVersion: number
    /** Counts edits, for people: prices, content and status. */
    version: number
    /** Counts every write; guards it, and orders events. */
    revision: number
    rejectionReason: string
    openChangeRequest: ChangeRequest | null
    /** Since when a decision waits. */
    waitingSince: Date | null
    vendorActive: boolean
    createdAt: Date
    updatedAt: Date
    publishedAt: Date | null
    unsaved: { prices: PriceChange[]; changeRequests: ChangeRequest[] }
    /** Set while `unsaved` or a variant's row is behind. */
    unprojectedSince?: Date | undefined
  }

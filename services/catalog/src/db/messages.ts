import { enumNames } from '@haat/kit/enum'
import {
  type ChangeRequest as ChangeRequestMessage,
  ChangeRequestStatus,
  type Image,
  type PriceChange as PriceChangeMessage,
  type ProductCard,
  type Product as ProductMessage,
  type ProductSnapshot,
  ProductStatus,
  UploadPurpose,
  type VariantDetail,
  type Variant as VariantMessage,
} from '@haat/proto/catalog/v1/catalog'
import { changeName, toJson } from '../domain/changes.ts'
import { inOrder } from '../domain/derive.ts'
import type { ChangeRequest, Pair, PriceChange, Product, ProductImage, Variant } from '../domain/product.ts'
import { type MediaStore, mediaKey, type Size } from '../media/media-store.ts'
import type { Tree } from './categories.ts'

export const productStatus = enumNames(ProductStatus)
export const changeRequestStatus = enumNames(ChangeRequestStatus)
export const uploadPurpose = enumNames(UploadPurpose)

type Urls = Pick<MediaStore, 'publicUrl'>

const imageUrl = (urls: Urls, image: Pick<ProductImage, 'id' | 'url'>, size: Size): string =>
  image.url ?? `${urls.publicUrl}/${mediaKey(image.id, size)}`

export const toImage = (urls: Urls, image: ProductImage): Image => ({
  id: image.id,
  thumbUrl: imageUrl(urls, image, 'thumb'),
  cardUrl: imageUrl(urls, image, 'card'),
  fullUrl: imageUrl(urls, image, 'full'),
  width: image.width,
  height: image.height,
  alt: image.alt,
})

export const toRecord = (pairs: readonly Pair[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, value]))

const minor = (currency: string, amount: bigint | null | undefined) =>
  amount === null || amount === undefined ? undefined : { currency, minor: amount }

const variantImage = (product: Product, variant: Variant): ProductImage | undefined =>
  product.images.find((image) => image.id === variant.imageId) ?? product.images[0]

export function toVariant(urls: Urls, product: Product, variant: Variant): VariantMessage {
  const image = product.images.find(({ id }) => id === variant.imageId)
  return {
    id: variant.id,
    productId: product._id,
    vendorId: product.vendorId,
    sku: variant.sku,
    optionValues: toRecord(variant.optionValues),
    price: variant.price,
    compareAtPrice: variant.compareAtPrice ?? undefined,
    taxClass: variant.taxClass,
    weightGrams: variant.weightGrams,
    dimensions: variant.dimensions ?? undefined,
    barcode: variant.barcode,
    image: image && toImage(urls, image),
    isActive: variant.isActive,
    createdAt: variant.createdAt,
    updatedAt: variant.updatedAt,
  }
}

/** `insider`: the vendor's members, staff and services see what waits, and variants that are off. */
export const toProduct = (urls: Urls, product: Product, insider: boolean): ProductMessage => ({
  id: product._id,
  vendorId: product.vendorId,
  title: product.title,
  slug: product.slug,
  description: product.description,
  categoryIds: product.categoryIds,
  brandId: product.brandId ?? undefined,
  images: product.images.map((image) => toImage(urls, image)),
  attributes: toRecord(product.attributes),
  options: product.options,
  status: productStatus.fromName(product.status),
  seo: product.seo,
  ratingAvg: product.ratingAvg,
  ratingCount: product.ratingCount,
  variants: inOrder(product)
    .filter((variant) => insider || variant.isActive)
    .map((variant) => toVariant(urls, product, variant)),
  version: BigInt(product.version),
  rejectionReason: insider ? product.rejectionReason : '',
  openChangeRequestId: insider ? product.openChangeRequest?._id : undefined,
  visible: product.visible,
  createdAt: product.createdAt,
  updatedAt: product.updatedAt,
  publishedAt: product.publishedAt ?? undefined,
})

/** What a card shows: a list reads no more of a product, besides what it is ordered by. */
export const cardFields = {
  vendorId: 1,
  title: 1,
  slug: 1,
  status: 1,
  images: { $slice: 1 },
  price: 1,
  ratingAvg: 1,
  ratingCount: 1,
  brandId: 1,
  brandName: 1,
  categoryIds: 1,
  skus: 1,
  visible: 1,
  'openChangeRequest._id': 1,
  updatedAt: 1,
  publishedAt: 1,
} as const

export function toCard(urls: Urls, product: Product, insider: boolean): ProductCard {
  const { price } = product
  const [image] = product.images
  return {
    id: product._id,
    vendorId: product.vendorId,
    title: product.title,
    slug: product.slug,
    status: productStatus.fromName(product.status),
    image: image && toImage(urls, image),
    minPrice: price ? minor(price.currency, price.min) : undefined,
    maxPrice: price ? minor(price.currency, price.max) : undefined,
    compareAtPrice: price ? minor(price.currency, price.compareAt) : undefined,
    ratingAvg: product.ratingAvg,
    ratingCount: product.ratingCount,
    brandId: product.brandId ?? undefined,
    brandName: product.brandName,
    categoryIds: product.categoryIds,
    skus: product.skus,
    visible: product.visible,
    hasOpenChangeRequest: insider && Boolean(product.openChangeRequest),
    updatedAt: product.updatedAt,
    publishedAt: product.publishedAt ?? undefined,
  }
}

export function toVariantDetail(urls: Urls, tree: Tree, product: Product, variant: Variant): VariantDetail {
  const image = variantImage(product, variant)
  return {
    sku: variant.sku,
    variantId: variant.id,
    productId: product._id,
    productSlug: product.slug,
    vendorId: product.vendorId,
    title: product.title,
    imageUrl: image ? imageUrl(urls, image, 'card') : '',
    optionValues: toRecord(variant.optionValues),
    price: variant.price,
    compareAtPrice: variant.compareAtPrice ?? undefined,
    taxClass: variant.taxClass,
    weightGrams: variant.weightGrams,
    dimensions: variant.dimensions ?? undefined,
    barcode: variant.barcode,
    categoryIds: tree.withAncestors(product.categoryIds).map((category) => category._id),
    brandId: product.brandId ?? undefined,
    sellable: product.visible && variant.isActive,
    ratingAvg: product.ratingAvg,
    ratingCount: product.ratingCount,
  }
}

/** Hidden categories are not something to find a product by. */
export function toSnapshot(urls: Urls, tree: Tree, product: Product): ProductSnapshot {
  const shown = product.categoryIds.filter((id) => tree.isShown(id))
  const categories = tree.withAncestors(shown)
  const [image] = product.images
  return {
    productId: product._id,
    vendorId: product.vendorId,
    title: product.title,
    slug: product.slug,
    description: product.description,
    status: productStatus.fromName(product.status),
    visible: product.visible,
    categoryIds: categories.map((category) => category._id),
    categoryPaths: shown.map((id) => tree.path(id)),
    categoryNames: [...new Set(categories.map((category) => category.name))],
    brandId: product.brandId ?? undefined,
    brandName: product.brandName,
    attributes: toRecord(product.attributes),
    imageUrl: image ? imageUrl(urls, image, 'card') : '',
    variants: inOrder(product).map((variant) => {
      const own = variantImage(product, variant)
      return {
        variantId: variant.id,
        sku: variant.sku,
        optionValues: toRecord(variant.optionValues),
        price: variant.price,
        compareAtPrice: variant.compareAtPrice ?? undefined,
        barcode: variant.barcode,
        isActive: variant.isActive,
        imageUrl: own ? imageUrl(urls, own, 'card') : '',
      }
    }),
    ratingAvg: product.ratingAvg,
    ratingCount: product.ratingCount,
    keywords: product.seo.keywords,
    publishedAt: product.publishedAt ?? undefined,
    updatedAt: product.updatedAt,
    version: BigInt(product.revision),
  }
}

export const toChangeRequest = (request: ChangeRequest): ChangeRequestMessage => ({
  id: request._id,
  productId: request.productId,
  productTitle: request.productTitle,
  vendorId: request.vendorId,
  status: changeRequestStatus.fromName(request.status),
  changes: request.changes.map((change) => ({
    field: changeName(change),
    before: toJson(change.before),
    after: toJson(change.after),
  })),
  baseVersion: BigInt(request.baseVersion),
  reason: request.reason,
  submittedBy: request.submittedBy,
  submittedAt: request.submittedAt,
  decidedBy: request.decidedBy ?? undefined,
  decidedAt: request.decidedAt ?? undefined,
})

export const toPriceChange = (change: PriceChange): PriceChangeMessage => ({
  oldPrice: change.oldPrice ?? undefined,
  price: change.price,
  compareAtPrice: change.compareAtPrice ?? undefined,
  changedBy: change.changedBy,
  changedAt: change.changedAt,
})

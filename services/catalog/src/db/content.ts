import { AppError, type ErrorStatus, invalid, notFound } from '@haat/kit/errors'
import type { ProductContent } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { type Problem, type ProblemCode, problemsOf, sortPairs } from '../domain/content.ts'
import type { Content, Product, ProductImage } from '../domain/product.ts'
import type { BrandDocument, MediaDocument } from './collections.ts'

const statusOf: Record<ProblemCode, ErrorStatus> = {
  sku_taken: 'ALREADY_EXISTS',
  variant_options_invalid: 'INVALID_ARGUMENT',
  image_limit_reached: 'FAILED_PRECONDITION',
  media_not_found: 'NOT_FOUND',
  currency_mixed: 'INVALID_ARGUMENT',
  price_invalid: 'INVALID_ARGUMENT',
  barcode_invalid: 'INVALID_ARGUMENT',
}

export const problemError = ({ code, message, sku }: Problem): AppError =>
  new AppError(statusOf[code], code, message, sku ? { sku } : {})

/** Content that was checked in full, with the brand's name. */
export type CheckedContent = { content: Content; brandName: string }

/**
 * A request's content with all it refers to: NOT_FOUND for a category, brand or image that is not there, and the errors of
 * `problemsOf`. What a standing product refers to already may have been hidden meanwhile.
 */
export async function checkContent(
  ctx: CatalogContext,
  vendorId: string,
  given: ProductContent,
  standing?: Product,
): Promise<CheckedContent> {
  const tree = await ctx.categories.current()
  for (const id of given.categoryIds)
    if (!tree.find(id)) throw notFound('category_not_found', 'no such category', { categoryId: id })
  const brand = await findBrand(ctx, given.brandId, standing)
  const content: Content = {
    title: given.title.trim(),
    description: given.description.trim(),
    categoryIds: [...new Set(given.categoryIds)],
    brandId: brand?._id ?? null,
    images: await findImages(ctx, vendorId, given.images),
    attributes: toPairs(given.attributes),
    options: given.options.map(({ name, values }) => ({
      name: name.trim(),
      values: values.map((value) => value.trim()),
    })),
    seo: {
      title: given.seo?.title ?? '',
      description: given.seo?.description ?? '',
      keywords: given.seo?.keywords ?? [],
    },
    variants: given.variants.map((variant) => ({
      sku: variant.sku,
      optionValues: toPairs(variant.optionValues),
      price: variant.price!,
      compareAtPrice: variant.compareAtPrice ?? null,
      taxClass: variant.taxClass,
      weightGrams: variant.weightGrams,
      dimensions: variant.dimensions ? { ...variant.dimensions } : null,
      barcode: variant.barcode,
      imageId: variant.imageId ?? null,
      isActive: variant.isActive,
    })),
  }
  if (!content.title) throw invalid('title_missing', 'the title is blank')
  const [problem] = problemsOf(content, ctx)
  if (problem) throw problemError(problem)
  return { content, brandName: brand?.name ?? '' }
}

const toPairs = (map: Record<string, string>) =>
  sortPairs(Object.entries(map).map(([name, value]) => ({ name: name.trim(), value: value.trim() })))

async function findBrand(
  ctx: CatalogContext,
  id: string | undefined,
  standing?: Product,
): Promise<BrandDocument | null> {
  if (!id) return null
  const brand = await ctx.db.brands.findOne({ _id: id })
  if (!brand || (!brand.isActive && standing?.brandId !== id)) throw notFound('brand_not_found', 'no such brand')
  return brand
}

async function findImages(
  ctx: CatalogContext,
  vendorId: string,
  given: readonly { imageId: string; alt: string }[],
): Promise<ProductImage[]> {
  const wanted = given.filter((image, index) => given.findIndex(({ imageId }) => imageId === image.imageId) === index)
  if (wanted.length === 0) return []
  const media = await ctx.db.media
    .find({ _id: { $in: wanted.map((image) => image.imageId) }, vendorId, purpose: 'product' })
    .toArray()
  return wanted.map(({ imageId, alt }) => {
    const found = media.find((candidate) => candidate._id === imageId)
    if (!found) throw notFound('media_not_found', 'no such image', { imageId })
    return toProductImage(found, alt)
  })
}

export const toProductImage = (media: MediaDocument, alt: string): ProductImage => ({
  id: media._id,
  alt,
  width: media.width,
  height: media.height,
  url: media.url,
})

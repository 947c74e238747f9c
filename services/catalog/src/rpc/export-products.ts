import { isStaff } from '@haat/kit/authorize'
import type { Call } from '@haat/kit/call'
import { withoutPending } from '@haat/kit/events/pending'
import { toDecimal } from '@haat/money/decimal'
import type { ExportProductsRequest } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import type { Tree } from '../db/categories.ts'
import { productStatus, toImage } from '../db/messages.ts'
import { getVendor } from '../db/vendors.ts'
import { LIST_SEPARATOR, writeRow } from '../domain/csv-cell.ts'
import { inOrder } from '../domain/derive.ts'
import { columns } from '../domain/import-file.ts'
import type { Product, Variant } from '../domain/product.ts'
import { scopeOf } from './scope.ts'

const PAGE = 200
const CHUNK_BYTES = 64 * 1024

export async function* exportProducts(
  ctx: CatalogContext,
  request: ExportProductsRequest,
  call: Call,
): AsyncGenerator<{ chunk: Buffer }> {
  const vendorId = scopeOf(call, request.vendorId, 'catalog.read')
  const withVendor = isStaff(call, 'catalog.read') && vendorId === undefined
  const filter = {
    ...(vendorId ? { vendorId } : {}),
    ...(request.status ? { status: productStatus.toName(request.status) } : {}),
  }
  const [tree, options, attributes] = await Promise.all([
    ctx.categories.recent(),
    ctx.db.products.distinct('options.name', filter),
    ctx.db.products.distinct('attributes.name', filter),
  ])
  const names = { options: options.sort(), attributes: attributes.sort() }
  const header = [
    ...columns.filter((column) => withVendor || column !== 'vendor'),
    ...names.options.map((name) => `option:${name}`),
    ...names.attributes.map((name) => `attr:${name}`),
  ]
  const slugs = new Map<string, string>()
  const slugOf = async (id: string) => {
    const slug = slugs.get(id) ?? (await getVendor(ctx, id)).slug
    slugs.set(id, slug)
    return slug
  }
  let buffer = Buffer.from(writeRow(header))
  let after = ''
  for (;;) {
    const page = await ctx.db.products
      .find({ ...filter, _id: { $gt: after } }, { projection: withoutPending })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray()
    for (const product of page) {
      const vendor = withVendor ? [await slugOf(product.vendorId)] : []
      const rows = inOrder(product).map((variant) =>
        writeRow([...vendor, ...cellsOf(ctx, tree, product, variant, names)]),
      )
      buffer = Buffer.concat([buffer, Buffer.from(rows.join(''))])
      for (; buffer.length > CHUNK_BYTES; buffer = buffer.subarray(CHUNK_BYTES))
        yield { chunk: buffer.subarray(0, CHUNK_BYTES) }
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = last._id
  }
  if (buffer.length) yield { chunk: buffer }
}

/** One row, in the order of `columns` without the vendor, then options and attributes. */
function cellsOf(
  ctx: CatalogContext,
  tree: Tree,
  product: Product,
  variant: Variant,
  names: { options: string[]; attributes: string[] },
): string[] {
  const { price, compareAtPrice, dimensions } = variant
  const number = (value: number | undefined) => (value ? String(value) : '')
  const list = (values: string[]) => values.join(LIST_SEPARATOR)
  return [
    product.slug,
    product.title,
    product.description,
    list(product.categoryIds.flatMap((id) => tree.find(id)?.slug ?? [])),
    product.brandName,
    variant.sku,
    toDecimal(price),
    compareAtPrice ? toDecimal(compareAtPrice) : '',
    price.currency,
    variant.taxClass,
    number(variant.weightGrams),
    number(dimensions?.lengthMm),
    number(dimensions?.widthMm),
    number(dimensions?.heightMm),
    variant.barcode,
    list(product.images.map((image) => toImage(ctx.media, image).fullUrl)),
    String(variant.isActive),
    ...names.options.map((name) => variant.optionValues.find((pair) => pair.name === name)?.value ?? ''),
    ...names.attributes.map((name) => product.attributes.find((pair) => pair.name === name)?.value ?? ''),
  ]
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { notFound } from '@haat/kit/errors'
import type { EventMessage } from '@haat/kit/events/definition'
import { createEnvelope } from '@haat/kit/events/envelope'
import { newId } from '@haat/kit/id'
import {
  type CatalogServiceClient,
  CatalogServiceDefinition,
  type Product,
  type ProductContent,
  UploadPurpose,
  type VariantContent,
} from '@haat/proto/catalog/v1/catalog'
import { VendorApproved, VendorSuspended } from '@haat/proto/vendor/v1/events'
import type { VendorServiceClient } from '@haat/proto/vendor/v1/vendor'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { neighbour, staff, vendorMember } from '@haat/testkit/tokens'
import { MongoClient } from 'mongodb'
import sharp from 'sharp'
import { afterAll } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { CatalogContext } from '../src/context.ts'
import { type Collections, openCollections } from '../src/db/collections.ts'
import { startCatalog } from '../src/service.ts'

/** Catalog on its own database and directory, with clients for the identities the tests need. */
export async function startHarness(
  options: { overrides?: Partial<CatalogContext>; env?: Record<string, string> } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'haat-catalog-'))
  const vendorCalls: string[] = []
  const vendor = fake<Pick<VendorServiceClient, 'batchGetVendors' | 'getVendorBySlug'>>('vendor', {
    async batchGetVendors({ vendorIds }) {
      vendorCalls.push(...(vendorIds as string[]))
      return { vendors: [] }
    },
    getVendorBySlug: () => Promise.reject(notFound('vendor_not_found', 'no such vendor')),
  })
  let database = ''
  const service = await startTestService({
    name: 'catalog',
    load(env) {
      database = env.MONGO_DATABASE!
      return loadConfig(env)
    },
    start: startCatalog,
    overrides: { vendor, ...options.overrides },
    env: { MEDIA_DIR: dir, MEDIA_PORT: '0', ...options.env },
  })
  const client = new MongoClient(process.env.MONGO_URL!, { useBigInt64: true })
  await client.connect()
  afterAll(async () => {
    await client.close()
    await rm(dir, { recursive: true, force: true })
  })
  /** Looks behind the service's back. */
  const db: Collections = await openCollections(client.db(database))
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<CatalogServiceClient>(CatalogServiceDefinition, who)

  const seller = await vendorMember()
  const editor = as(await staff('catalog.read', 'catalog.write', 'catalog.review'))
  const sellerClient = as(seller)
  let sequence = 0
  /** An event of a vendor, later than all before it unless a sequence is named. */
  const vendorEvent = async <Data>(message: EventMessage<Data>, data: object, at = ++sequence) => {
    const blank = { ownerUserId: newId(), name: 'Shop', supportEmail: 'a@b.c', reason: '', members: [], logoUrl: '' }
    await service.publishRaw(createEnvelope(message, { ...blank, ...data } as never, { sequence: at }))
  }
  const approveVendor = (vendorId: string, at?: number) =>
    vendorEvent(VendorApproved, { vendorId, slug: `shop-${vendorId.slice(-12)}` }, at)
  const suspendVendor = (vendorId: string, at?: number) =>
    vendorEvent(VendorSuspended, { vendorId, slug: `shop-${vendorId.slice(-12)}` }, at)
  await approveVendor(seller.vendorId)

  const { category } = await editor.createCategory({ name: 'Phones' })
  const png = await sharp({ create: { width: 640, height: 400, channels: 3, background: '#286090' } })
    .png()
    .toBuffer()
  /** Uploads an image for a client, and answers its id. */
  const upload = async (
    by: CatalogServiceClient,
    purpose: UploadPurpose = UploadPurpose.PRODUCT,
    bytes: Uint8Array = png,
  ) => {
    const target = await by.createUpload({
      purpose,
      fileName: 'a.png',
      contentType: 'image/png',
      sizeBytes: bytes.length,
    })
    await fetch(target.url, { method: target.method, headers: target.headers, body: Buffer.from(bytes) })
    const { image } = await by.completeUpload({ uploadId: target.uploadId })
    return image!
  }
  const image = await upload(sellerClient)
  let count = 0
  const uniqueSku = () => `SKU-${++count}`
  const bdt = (minor: bigint | number) => ({ currency: 'BDT', minor: BigInt(minor) })
  const variant = (more: Partial<VariantContent> = {}): VariantContent => ({
    sku: uniqueSku(),
    optionValues: {},
    price: bdt(50_000),
    compareAtPrice: undefined,
    taxClass: 'standard',
    weightGrams: 200,
    dimensions: undefined,
    barcode: '',
    isActive: true,
    ...more,
  })
  const content = (more: Partial<ProductContent> = {}): ProductContent => ({
    title: `Thing ${count + 1}`,
    description: 'A thing.',
    categoryIds: [category!.id],
    images: [{ imageId: image.id, alt: 'front' }],
    attributes: { Material: 'Wood' },
    options: [],
    seo: { title: '', description: '', keywords: [] },
    variants: [variant()],
    ...more,
  })
  const draft = async (more: Partial<ProductContent> = {}): Promise<Product> => {
    const { product } = await sellerClient.createProduct({ vendorId: seller.vendorId, content: content(more) })
    return product!
  }
  return {
    service,
    db,
    dir,
    as,
    seller,
    vendorCalls,
    anyone: as(),
    vendor: sellerClient,
    editor,
    order: as(await neighbour('order')),
    approveVendor,
    suspendVendor,
    vendorEvent,
    category: category!,
    image,
    upload,
    png,
    uniqueSku,
    bdt,
    variant,
    content,
    draft,
    /** A product the storefront shows. */
    async live(more: Partial<ProductContent> = {}): Promise<Product> {
      const { id } = await draft(more)
      await sellerClient.submitProduct({ productId: id })
      const { product } = await editor.approveProduct({ productId: id })
      return product!
    },
    /** What a form has of a product, to be changed and sent back. */
    asContent: (product: Product): ProductContent => ({
      title: product.title,
      description: product.description,
      categoryIds: product.categoryIds,
      ...(product.brandId ? { brandId: product.brandId } : {}),
      images: product.images.map(({ id, alt }) => ({ imageId: id, alt })),
      attributes: product.attributes,
      options: product.options,
      seo: product.seo,
      variants: product.variants.map((one) => ({
        sku: one.sku,
        optionValues: one.optionValues,
        price: one.price,
        compareAtPrice: one.compareAtPrice,
        taxClass: one.taxClass,
        weightGrams: one.weightGrams,
        dimensions: one.dimensions,
        barcode: one.barcode,
        ...(one.image ? { imageId: one.image.id } : {}),
        isActive: one.isActive,
      })),
    }),
    /** The data of events of one product, in order. */
    async eventsOf<Data extends { productId: string }>(
      message: EventMessage<Data>,
      productId: string,
    ): Promise<Data[]> {
      const all = await service.emitted(message)
      return all.map(({ data }) => data).filter((data) => data.productId === productId)
    },
  }
}

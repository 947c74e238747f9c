import { notFound } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { type CatalogServiceClient, Product, Variant } from '@haat/proto/catalog/v1/catalog'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { neighbour, vendorMember } from '@haat/testkit/tokens'
import { loadConfig } from '../src/config.ts'
import type { InventoryContext } from '../src/context.ts'
import { startInventory } from '../src/service.ts'

/** Inventory on its own database, with clients for the identities the tests need. */
export async function startHarness(overrides: Partial<InventoryContext> = {}) {
  const products = new Map<string, Product>()
  let failure: Error | undefined
  const catalog = fake<CatalogServiceClient>('catalog', {
    getProduct: (async ({ productId }: { productId: string }) => {
      if (failure) throw failure
      const product = products.get(productId)
      if (!product) throw notFound('product_not_found', 'no such product')
      return { product }
    }) as never,
  })
  const service = await startTestService({
    name: 'inventory',
    load: loadConfig,
    start: startInventory,
    migrations: new URL('../migrations/', import.meta.url),
    overrides: { catalog, ...overrides },
  })
  const seller = await vendorMember()
  const as = (who?: Parameters<typeof service.as>[1]) =>
    service.as<InventoryServiceClient>(InventoryServiceDefinition, who)
  const vendor = as(seller)
  let count = 0
  const product = (vendorId: string, ...skus: string[]): string => {
    const id = newId()
    const variants = skus.map((sku) => Variant.fromPartial({ id: newId(), sku }))
    products.set(id, Product.fromPartial({ id, vendorId, variants }))
    return id
  }
  return {
    ...service,
    service,
    seller,
    as,
    anyone: as(),
    vendor,
    order: as(await neighbour('order')),
    /** Writes a product with these variants at catalog; answers its id. */
    product,
    /** From now on catalog answers only with this error; undefined: it is back. */
    failCatalog(error: Error | undefined) {
      failure = error
    },
    /** Puts a new SKU on the shelf and answers it. */
    async stocked(onHand: number, more: { reorderPoint?: number; safetyStock?: number } = {}): Promise<string> {
      const sku = `SKU-${++count}`
      await vendor.setStock({
        vendorId: seller.vendorId,
        sku,
        productId: product(seller.vendorId, sku),
        onHand,
        ...more,
      })
      return sku
    },
    async level(sku: string) {
      const { levels } = await vendor.listStock({ skus: [sku] })
      return levels[0]!
    },
  }
}

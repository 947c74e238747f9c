import { newId } from '@haat/kit/id'
import { type InventoryServiceClient, InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { startTestService } from '@haat/testkit/service'
import { neighbour, vendorMember } from '@haat/testkit/tokens'
import { loadConfig } from '../src/config.ts'
import type { InventoryContext } from '../src/context.ts'
import { startInventory } from '../src/service.ts'

/** Inventory on its own database, with clients for the identities the tests need. */
export async function startHarness(overrides: Partial<InventoryContext> = {}) {
  const service = await startTestService({
    name: 'inventory',
    load: loadConfig,
    start: startInventory,
    migrations: new URL('../migrations/', import.meta.url),
    overrides,
  })
  const seller = await vendorMember()
  const as = (who?: Parameters<typeof service.as>[1]) =>
    service.as<InventoryServiceClient>(InventoryServiceDefinition, who)
  const vendor = as(seller)
  let count = 0
  return {
    ...service,
    service,
    seller,
    as,
    anyone: as(),
    vendor,
    order: as(await neighbour('order')),
    /** Puts a new SKU on the shelf and answers it. */
    async stocked(onHand: number, more: { reorderPoint?: number; safetyStock?: number } = {}): Promise<string> {
      const sku = `SKU-${++count}`
      await vendor.setStock({ vendorId: seller.vendorId, sku, productId: newId(), onHand, ...more })
      return sku
    },
    async level(sku: string) {
      const { levels } = await vendor.listStock({ skus: [sku] })
      return levels[0]!
    },
  }
}

import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import type { CatalogConfig } from './config.ts'
import { type CatalogContext, createContext } from './context.ts'
import { eventCollections } from './db/collections.ts'
import { events } from './events/index.ts'
import { heal } from './jobs/heal.ts'
import { refreshProducts } from './jobs/refresh-products.ts'
import { sweepUploads } from './jobs/sweep-uploads.ts'
import { rpc } from './rpc/index.ts'

/** Starts catalog; `overrides` replace parts of the context in tests. */
export const startCatalog = (config: CatalogConfig, overrides: Partial<CatalogContext> = {}): Promise<Service> =>
  startService<CatalogContext>('catalog', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(CatalogServiceDefinition, rpc)],
    events,
    eventCollections,
    jobs: [refreshProducts, heal, sweepUploads],
  }))

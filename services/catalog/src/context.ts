import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { mongoLeases } from '@haat/kit/leader'
import type { Log } from '@haat/kit/log'
import type { Chassis } from '@haat/kit/service'
import { type VendorServiceClient, VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { CatalogConfig } from './config.ts'
import { type CategoryCache, createCategoryCache } from './db/categories.ts'
import { type Collections, openCollections } from './db/collections.ts'
import type { OfferWeights } from './domain/offers.ts'
import { createMediaStore } from './media/create-media-store.ts'
import type { MediaStore } from './media/media-store.ts'

export type CatalogContext = {
  db: Collections
  categories: CategoryCache
  vendor: Pick<VendorServiceClient, 'batchGetVendors' | 'getVendorBySlug'>
  media: MediaStore
  log: Log
  now: () => Date
  /** Tells the relay that a document with pending events was written. */
  wakeEvents: Chassis['wakeEvents']
  /** Runs `work` in one process at a time; UNAVAILABLE `catalog_busy` when others take too long. */
  alone: <T>(name: string, work: () => Promise<T>) => Promise<T>
  imagesPerProduct: number
  maxUploadBytes: number
  uploadTtlMs: number
  offerWeights: OfferWeights
}

const LOCK_MS = 20_000
const LOCK_WAIT_MS = 3_000

export async function createContext(config: CatalogConfig, chassis: Chassis): Promise<CatalogContext> {
  const { db: database } = await chassis.mongo()
  const db = await openCollections(database)
  const media = await createMediaStore(config, chassis.log)
  chassis.onClose(() => media.close())
  const leases = mongoLeases(database)
  return {
    db,
    categories: createCategoryCache(db),
    vendor: chassis.connect<VendorServiceClient>(VendorServiceDefinition, config.VENDOR_ADDR),
    media,
    log: chassis.log,
    now: () => new Date(),
    wakeEvents: chassis.wakeEvents,
    async alone(name, work) {
      const owner = newId()
      const giveUp = Date.now() + LOCK_WAIT_MS
      while (!(await leases.take(name, owner, LOCK_MS))) {
        if (Date.now() > giveUp) throw unavailable('catalog_busy', 'somebody else is changing this; try again')
        await sleep(20 + Math.random() * 30)
      }
      return work().finally(() => leases.release(name, owner))
    },
    imagesPerProduct: config.MAX_IMAGES_PER_PRODUCT,
    maxUploadBytes: config.MEDIA_MAX_UPLOAD_BYTES,
    uploadTtlMs: config.MEDIA_UPLOAD_TTL_MINUTES * 60_000,
    offerWeights: config.OFFER_WEIGHTS_JSON,
  }
}

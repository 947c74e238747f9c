import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import type { InventoryConfig } from './config.ts'
import { createContext, type InventoryContext } from './context.ts'
import { events } from './events/index.ts'
import { expireReservations } from './jobs/expire-reservations.ts'
import { rpc } from './rpc/index.ts'

/** Starts inventory; `overrides` replace parts of the context in tests. */
export const startInventory = (config: InventoryConfig, overrides: Partial<InventoryContext> = {}): Promise<Service> =>
  startService<InventoryContext>('inventory', config, async (chassis) => ({
    ctx: { ...(await createContext(config, chassis)), ...overrides },
    rpcs: [implement(InventoryServiceDefinition, rpc)],
    events,
    jobs: [expireReservations],
  }))

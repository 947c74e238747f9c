import { address, broker, defineConfig, grpcServer, int, postgres } from '@haat/kit/config'

export const loadConfig = defineConfig('inventory', {
  ...grpcServer,
  ...postgres,
  ...broker,
  CATALOG_ADDR: address('catalog'),
  /** Length of a reservation's lease when the caller names none. */
  RESERVATION_TTL_MINUTES: int(15, 1),
})

export type InventoryConfig = ReturnType<typeof loadConfig>

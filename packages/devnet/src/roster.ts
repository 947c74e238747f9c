import type { Running } from '@haat/kit/run'

type Env = Record<string, string | undefined>
type Store = 'postgres' | 'mongo' | 'redis'

/** One process of the marketplace: what it needs, where it listens, how it is loaded. */
export type Member = {
  name: string
  kind: 'service' | 'bff'
  stores: Store[]
  /** gRPC port of a service, HTTP port of a BFF. */
  port: number
  adminPort: number
  /** Neighbours whose addresses it reads. */
  main: string
  load: () => Promise<{
    loadConfig: (env: Env) => never
    start: (config: never, overrides?: object) => Promise<Running>
  }>
}

const service = (
  index: number,
  name: string,
  stores: Store[],
  load: () => Promise<{ config: { loadConfig: unknown }; start: unknown }>,
): Member => ({
  name,
  kind: 'service',
  stores,
  port: 50050 + index,
  adminPort: 8200 + index,
  main: `services/${name}/src/main.ts`,
  load: async () => {
    const { config, start } = await load()
    return { loadConfig: config.loadConfig, start } as never
  },
})

const bff = (
  index: number,
  name: string,
  load: () => Promise<{ config: { loadConfig: unknown }; start: unknown }>,
): Member => ({
  ...service(0, name, ['redis'], load),
  name: `bff-${name}`,
  kind: 'bff',
  port: 3000 + index,
  adminPort: 8230 + index,
  main: `bff/${name}/src/main.ts`,
})

/** Every process, in the order of start: auth first, since the others ask it for their tokens. */
export const roster: Member[] = [
  service(1, 'auth', ['postgres'], async () => ({
    config: await import('@haat/auth/config'),
    start: (await import('@haat/auth/service')).startAuth,
  })),
  service(2, 'profile', ['postgres'], async () => ({
    config: await import('@haat/profile/config'),
    start: (await import('@haat/profile/service')).startProfile,
  })),
  service(3, 'vendor', ['postgres'], async () => ({
    config: await import('@haat/vendor/config'),
    start: (await import('@haat/vendor/service')).startVendor,
  })),
  service(4, 'catalog', ['mongo'], async () => ({
    config: await import('@haat/catalog/config'),
    start: (await import('@haat/catalog/service')).startCatalog,
  })),
  service(5, 'inventory', ['postgres'], async () => ({
    config: await import('@haat/inventory/config'),
    start: (await import('@haat/inventory/service')).startInventory,
  })),
  service(6, 'cart', ['mongo', 'redis'], async () => ({
    config: await import('@haat/cart/config'),
    start: (await import('@haat/cart/service')).startCart,
  })),
  service(7, 'promotion', ['postgres'], async () => ({
    config: await import('@haat/promotion/config'),
    start: (await import('@haat/promotion/service')).startPromotion,
  })),
  service(8, 'order', ['postgres'], async () => ({
    config: await import('@haat/order/config'),
    start: (await import('@haat/order/service')).startOrder,
  })),
  service(9, 'payment', ['postgres'], async () => ({
    config: await import('@haat/payment/config'),
    start: (await import('@haat/payment/service')).startPayment,
  })),
  service(10, 'shipping', ['postgres'], async () => ({
    config: await import('@haat/shipping/config'),
    start: (await import('@haat/shipping/service')).startShipping,
  })),
  service(11, 'review', ['mongo'], async () => ({
    config: await import('@haat/review/config'),
    start: (await import('@haat/review/service')).startReview,
  })),
  service(12, 'notification', ['postgres'], async () => ({
    config: await import('@haat/notification/config'),
    start: (await import('@haat/notification/service')).startNotification,
  })),
  bff(1, 'storefront', async () => ({
    config: await import('@haat/storefront/config'),
    start: (await import('@haat/storefront/start')).startStorefront,
  })),
  bff(2, 'vendor', async () => ({
    config: await import('@haat/vendor-bff/config'),
    start: (await import('@haat/vendor-bff/start')).startVendorBff,
  })),
  bff(3, 'admin', async () => ({
    config: await import('@haat/admin-bff/config'),
    start: (await import('@haat/admin-bff/start')).startAdminBff,
  })),
]

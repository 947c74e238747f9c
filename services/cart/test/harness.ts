import { connect, createServer, type Socket } from 'node:net'
import { newId } from '@haat/kit/id'
import { applyBps } from '@haat/money/ratio'
import { type CartServiceClient, CartServiceDefinition } from '@haat/proto/cart/v1/cart'
import { type CatalogServiceClient, VariantDetail } from '@haat/proto/catalog/v1/catalog'
import type { Money } from '@haat/proto/common/v1/common'
import type { InventoryServiceClient } from '@haat/proto/inventory/v1/inventory'
import type { Order, OrderServiceClient } from '@haat/proto/order/v1/order'
import { type PromotionServiceClient, QuoteResponse } from '@haat/proto/promotion/v1/promotion'
import type { RateOption, ShippingServiceClient } from '@haat/proto/shipping/v1/shipping'
import type { VendorServiceClient } from '@haat/proto/vendor/v1/vendor'
import { fake } from '@haat/testkit/fake'
import { startTestService } from '@haat/testkit/service'
import { neighbour } from '@haat/testkit/tokens'
import { type Db, MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { CartContext } from '../src/context.ts'
import type { CartDocument, CartEventDocument } from '../src/db/collections.ts'
import { startCart } from '../src/service.ts'

export const bdt = (minor: number | bigint): Money => ({ currency: 'BDT', minor: BigInt(minor) })
export const BD = { country: 'BD', postalCode: '1207', state: 'Dhaka' }

type Call = { method: string; request: never }

/** The neighbours as the tests set them up, and every call cart made to them. */
function createWorld() {
  const variants = new Map<string, VariantDetail>()
  const stock = new Map<string, number>()
  const rates = new Map<string, RateOption[]>()
  const coupons = new Map<string, { reason?: string; bps?: number }>()
  const orders = new Map<string, Order>()
  const calls: Call[] = []
  const couponIds = new Map<string, string>()
  const broken = new Set<string>()
  const tax = { bps: 0, included: false }
  const answer = <Request, Response>(method: string, work: (request: Request) => Response) =>
    (async (request: Request) => {
      calls.push({ method, request: request as never })
      if (broken.has(method)) throw new Error(`${method} is down`)
      return work(request)
    }) as never
  const clients = {
    catalog: fake<CatalogServiceClient>('catalog', {
      batchGetVariants: answer('batchGetVariants', ({ skus }: { skus: string[] }) => ({
        variants: skus.flatMap((sku) => variants.get(sku) ?? []),
      })),
    }),
    inventory: fake<InventoryServiceClient>('inventory', {
      batchGetStock: answer('batchGetStock', ({ skus }: { skus: string[] }) => ({
        stocks: skus.flatMap((sku) =>
          stock.has(sku) ? [{ sku, productId: '', vendorId: '', available: stock.get(sku)! }] : [],
        ),
      })),
    }),
    shipping: fake<ShippingServiceClient>('shipping', {
      getRates: answer('getRates', ({ parcels }: { parcels: { vendorId: string }[] }) => ({
        parcels: parcels.map(({ vendorId }) => ({ vendorId, options: rates.get(vendorId) ?? [] })),
      })),
    }),
    vendor: fake<VendorServiceClient>('vendor', {
      batchGetVendors: answer('batchGetVendors', ({ vendorIds }: { vendorIds: string[] }) => ({
        vendors: vendorIds.map((id) => ({ id, name: `Shop ${id.slice(-4)}` })),
      })),
    }),
    promotion: fake<PromotionServiceClient>('promotion', { quote: answer('quote', quote) }),
    order: fake<OrderServiceClient>('order', {
      quoteTax: answer('quoteTax', ({ lines }: { lines: { lineId: string; amount: Money }[] }) => ({
        lines: lines.map(({ lineId, amount }) => ({
          lineId,
          tax: applyBps(amount, tax.bps),
          bps: tax.bps,
          included: tax.included,
        })),
        pricesIncludeTax: tax.included,
      })),
      getOrder: answer('getOrder', ({ orderNo }: { orderNo: string }) => {
        const order = orders.get(orderNo)
        return { order }
      }),
    }),
  }
  function remember(code: string): string {
    const id = newId()
    couponIds.set(code, id)
    return id
  }
  // The platform pays; a code takes its share off every line and nothing off delivery.
  function quote(request: {
    codes: string[]
    lines: { lineId: string; amount: Money }[]
    deliveries: { vendorId: string }[]
  }) {
    const verdicts = request.codes.map((code) => coupons.get(code) ?? { reason: 'coupon_not_found' })
    const share = verdicts.reduce((sum, verdict) => sum + (verdict.reason ? 0 : (verdict.bps ?? 0)), 0)
    const lines = request.lines.map(({ lineId, amount }) => ({
      lineId,
      vendorFunded: bdt(0),
      platformFunded: applyBps(amount, share),
    }))
    return QuoteResponse.fromPartial({
      coupons: verdicts.map((verdict, i) => ({
        code: request.codes[i]!,
        couponId: couponIds.get(request.codes[i]!) ?? remember(request.codes[i]!),
        accepted: !verdict.reason,
        reason: verdict.reason ?? '',
        fundedBy: 1,
        discount: verdict.reason ? bdt(0) : lines.reduce((sum, l) => bdt(sum.minor + l.platformFunded.minor), bdt(0)),
      })),
      lines,
      deliveries: request.deliveries.map(({ vendorId }) => ({
        vendorId,
        vendorFunded: bdt(0),
        platformFunded: bdt(0),
      })),
    })
  }
  return { variants, stock, rates, coupons, orders, calls, broken, tax, clients }
}

/** A TCP hop in front of Redis that can be cut. */
async function createHop(target: string) {
  const url = new URL(target)
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer((socket) => {
    if (cut) return void socket.destroy()
    const upstream = connect(Number(url.port), url.hostname)
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.on('error', () => undefined)
      end.on('close', () => {
        sockets.delete(end)
        socket.destroy()
        upstream.destroy()
      })
    }
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const setCut = (value: boolean) => {
    cut = value
    if (cut) for (const socket of sockets) socket.destroy()
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    cut: () => setCut(true),
    mend: () => setCut(false),
    close() {
      setCut(true)
      server.close()
    },
  }
}

/** Cart on its own database, with neighbours, a clock and a Redis that the tests control. */
export async function startHarness() {
  const world = createWorld()
  const hop = await createHop(process.env.REDIS_URL!)
  let shiftMs = 0
  let database = ''
  const overrides: Partial<CartContext> = { ...world.clients, now: () => new Date(Date.now() + shiftMs) }
  const service = await startTestService({
    name: 'cart',
    load: (env) => {
      const config = loadConfig(env)
      database = config.MONGO_DATABASE!
      return config
    },
    start: startCart,
    overrides,
    // Long enough that nothing a test looks at is forgotten meanwhile.
    env: { REDIS_URL: hop.url, CART_CACHE_SECONDS: '60' },
  })
  const mongo = new MongoClient(process.env.MONGO_URL!, { useBigInt64: true })
  const db: Db = mongo.db(database)
  afterAll(async () => {
    hop.close()
    await mongo.close()
  })
  const as = (who?: Parameters<typeof service.as>[1]) => service.as<CartServiceClient>(CartServiceDefinition, who)
  let count = 0
  return {
    service,
    world,
    hop,
    as,
    anyone: as(),
    order: as(await neighbour('order')),
    carts: db.collection<CartDocument>('carts'),
    trail: db.collection<CartEventDocument>('cart_events'),
    /** From now on, so many hours have passed. */
    setHours(hours: number) {
      shiftMs = hours * 3_600_000
    },
    /** Puts a new variant on sale and answers its SKU. */
    sells(minor: number, more: Partial<VariantDetail> & { available?: number } = {}): string {
      const sku = more.sku ?? `SKU-${++count}`
      const { available, ...variant } = more
      world.variants.set(
        sku,
        VariantDetail.fromPartial({
          sku,
          productId: newId(),
          vendorId: newId(),
          title: `Title of ${sku}`,
          imageUrl: '/card.webp',
          optionValues: { 'Size (cm.)': 'M' },
          price: bdt(minor),
          taxClass: 'standard',
          weightGrams: 100,
          sellable: true,
          ...variant,
        }),
      )
      world.stock.set(sku, available ?? 100)
      return sku
    },
    delivers(vendorId: string, ...options: [optionId: string, minor: number][]) {
      world.rates.set(
        vendorId,
        options.map(([optionId, minor]) => ({
          optionId,
          label: optionId,
          carrier: 'table',
          serviceLevel: 'standard',
          amount: bdt(minor),
          minDays: 1,
          maxDays: 3,
        })),
      )
    },
    callsTo: (method: string) => world.calls.filter((call) => call.method === method).map((call) => call.request),
  }
}

import { setTimeout as pause } from 'node:timers/promises'
import { importCatalog } from '@haat/devnet/csv'
import { MongoClient } from 'mongodb'
import { perRepetition } from '../bench.ts'
import { cpuBetween, readCpu } from '../processes.ts'
import { CSV_COLUMNS, csvRows } from '../seed/products.ts'
import type { MarketRow } from './row.ts'

const MOST = 10_000

/** As `npm run import` sends them: through the admin API, in parts, published at once; as many as the catalogue has, up to 10,000. */
const importing: MarketRow = {
  name: 'import of products',
  target: { perSecond: 1000 },
  on: 'market',
  grows: false,
  async measure(bench, market, row) {
    const prefix = `NEW${Date.now()}-`
    const groups = csvRows(
      0,
      Math.min(MOST, bench.products),
      market.sellers.map(({ slug }) => slug),
      prefix,
    )
    const before = readCpu(bench.processes)
    const stopProfiles = await bench.profiled(row.name)
    const began = performance.now()
    const { created, failed, errors } = await importCatalog(market.admin, CSV_COLUMNS, groups)
    const seconds = (performance.now() - began) / 1000
    await stopProfiles()
    const told = await untilTold(market.devnet.stores.urls.mongo)
    const used = cpuBetween(before, readCpu(bench.processes))
    await remove(market.devnet.stores.urls.mongo, prefix)
    return {
      perSecond: created / seconds,
      cpu: perRepetition(used, created),
      notes: [
        `${created} products in ${seconds.toFixed(1)} s; the last of their events was published ${told.toFixed(1)} s later`,
      ],
      faults: failed ? [`${failed} products refused: ${errors[0]?.code}`] : [],
    }
  },
}

/** Seconds until no product has an event left that was not published. */
async function untilTold(mongoUrl: string): Promise<number> {
  const began = performance.now()
  const client = await MongoClient.connect(mongoUrl)
  try {
    const products = client.db('haat_catalog').collection('products')
    while (await products.findOne({ 'pendingEvents.eventId': { $exists: true } }, { projection: { _id: 1 } }))
      await pause(200)
    return (performance.now() - began) / 1000
  } finally {
    await client.close()
  }
}

/** Takes the products out again, so that the other rows and the next run find the catalogue as it was. */
async function remove(mongoUrl: string, prefix: string): Promise<void> {
  const client = await MongoClient.connect(mongoUrl)
  try {
    const catalog = client.db('haat_catalog')
    const variants = catalog.collection<{ productId: string; sku: string }>('variants')
    const own = await variants.find({ sku: { $regex: `^${prefix}` } }, { projection: { productId: 1 } }).toArray()
    const ids = [...new Set(own.map(({ productId }) => productId))]
    for (let at = 0; at < ids.length; at += 500) {
      const some = ids.slice(at, at + 500)
      await catalog.collection<{ _id: string }>('products').deleteMany({ _id: { $in: some } })
      await variants.deleteMany({ productId: { $in: some } })
    }
  } finally {
    await client.close()
  }
}

export const importRows: MarketRow[] = [importing]

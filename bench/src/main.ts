import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Devnet } from '@haat/devnet/devnet'
import { startStores, storeNames, urlVariables } from '@haat/stores/stores'
import { type Bench, type Measured, openBench } from './bench.ts'
import { type FloorBench, type FloorName, floorTitles, openFloors } from './floors/floors.ts'
import { openMarketplace, STORE_PORTS } from './market.ts'
import { processesOf, readMemory } from './processes.ts'
import { cpuText, document, growthDocument, type Line, machineText, missed, printed, type Report } from './report.ts'
import { growOrders } from './rows/orders.ts'
import type { Market, MarketRow, Row } from './rows/row.ts'
import { rows } from './rows/rows.ts'
import { readGoods } from './seed/goods.ts'
import { seedMarket, signIn } from './seed/seed.ts'

const GROWTH = [
  { products: 1_000, orders: 1_000 },
  { products: 10_000, orders: 1_000 },
  { products: 10_000, orders: 100_000 },
  { products: 100_000, orders: 100_000 },
]
/** How long a floor is looked at before and after a row. */
const FLOOR_SECONDS = 3
const usage = `npm run bench [-- options]
  --only TEXT      the rows whose name contains TEXT (several: --only a --only b); RESULTS.md stays as it is
  --seconds N      measure each row for N seconds (8)
  --products N     on a catalogue of N products (10000)
  --growth         the rows at 1000, 10000 and 100000 products and 1000 and 100000 orders, into GROWTH.md
  --profile NAME   time the functions of that process (bff-storefront, catalog, …, all) in every row
  --data-dir D     keep the marketplace there instead of .data/bench
  --list           the names of the rows`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string', default: '8' },
    products: { type: 'string', default: '10000' },
    profile: { type: 'string', multiple: true, default: [] },
    'data-dir': { type: 'string' },
    growth: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || values.list) {
  console.log(values.help ? usage : rows.map(({ name }) => name).join('\n'))
  process.exit(0)
}
const wanted = rows.filter(({ name }) => values.only.length === 0 || values.only.some((text) => name.includes(text)))
if (wanted.length === 0) {
  console.error(`no row is called like that; there are\n  ${rows.map(({ name }) => name).join('\n  ')}`)
  process.exit(2)
}

const folder = fileURLToPath(new URL('..', import.meta.url))
const dataDir = resolve(values['data-dir'] ?? join(folder, '..', '.data', values.growth ? 'bench-growth' : 'bench'))
mkdirSync(dataDir, { recursive: true })
const began = performance.now()
const log = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)}s  ${line}`)

const stores = await startStores({ dataDir, log, ports: STORE_PORTS })
// Whatever this run starts finds them here.
for (const name of storeNames) process.env[urlVariables[name]] = stores.urls[name]
const bench = await openBench({
  stores,
  dataDir,
  seconds: Number(values.seconds),
  products: Number(values.products),
  profile: values.profile,
  log,
})
const report: Report = {
  lines: [],
  memory: [],
  missing: wanted.length,
  stores: stores.chosen,
  sizes: `${values.products} products of 20 vendors, every member in a process of its own, 16 requests at a time, ${values.seconds} s per row after a warm-up.`,
}
let marketplace: Devnet | undefined
const closeAll = async () => {
  bench.close()
  await marketplace?.close()
  await stores.close()
}
// `on`, not `once`: Ctrl-C arrives several times, from the terminal and from npm, and the repeats must not cut the stop short.
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (!stopping) void closeAll().finally(() => process.exit(1))
    stopping = true
  })
try {
  const onMarket = wanted.filter((row) => row.on === 'market')
  if (values.growth) await measureGrowth(onMarket)
  else if (onMarket.length) await measureMarket(bench, onMarket)
  if (!values.growth) for (const row of wanted) if (row.on === 'stores') keep(row, await row.measure(bench, row))
} catch (error) {
  // What fails because everything stops is no failure.
  if (stopping) await new Promise(() => {})
  throw error
} finally {
  if (!stopping) await closeAll()
}
console.log(`\n${printed(report.lines)}`)
const aimed = report.lines.filter(({ target }) => target)
const met = aimed.filter((line) => !missed(line))
console.log(`\n${met.length} of ${aimed.length} targets met`)
process.exit(0)

/**
 * The same rows on ever more data, without those that bring data of their own. The floors have none: they tell how fast the
 * machine was.
 */
async function measureGrowth(wanted: MarketRow[]): Promise<void> {
  const steps: { title: string; lines: Line[] }[] = []
  for (const { products, orders } of GROWTH) {
    report.lines = []
    bench.products = products
    await measureMarket(
      bench,
      wanted.filter(({ grows }) => grows !== false),
      orders,
    )
    steps.push({ title: `${products / 1000} k products, ${orders / 1000} k orders`, lines: report.lines })
    writeFileSync(join(folder, 'GROWTH.md'), growthDocument(machineText(stores.chosen), steps))
  }
}

async function measureMarket(bench: Bench, wanted: MarketRow[], oldOrders = 0): Promise<void> {
  const devnet = await openMarketplace(bench)
  marketplace = devnet
  const floors = openFloors(bench, devnet.stores.urls.postgres)
  try {
    const world = await seedMarket(devnet, dataDir, bench.products)
    log(`${world.store.journal.products} products of ${world.sellers.length} vendors stand`)
    report.memory.push({ title: 'after the start', megabytes: readMemory(bench.processes) })
    const used = new Set(wanted.flatMap(({ target }) => ('of' in target ? [target.of] : [])))
    for (const name of Object.keys(floorTitles) as FloorName[])
      if (used.has(name)) keep({ name: floorTitles[name] }, await floors.measure(name, bench.seconds))
    const once = <Value>(make: () => Promise<Value>) => {
      let made: Promise<Value> | undefined
      return () => (made ??= make())
    }
    const market: Market = {
      ...world,
      goods: once(() => readGoods(devnet.stores.urls.mongo)),
      browsers: once(() => signIn(world)),
      storefrontPort: Number(new URL(devnet.urls.storefront).port),
    }
    if (oldOrders) await growOrders(bench, market, oldOrders)
    for (const row of wanted) keep(row, await beside(floors, row, () => row.measure(bench, market, row)))
    report.memory.push({ title: 'after the rows', megabytes: readMemory(bench.processes) })
    if (values.only.length === 0 && !values.growth) writeFileSync(join(folder, 'RESULTS.md'), document(report))
  } finally {
    floors.close()
    if (!stopping) await devnet.close()
    marketplace = undefined
    bench.processes = processesOf(dataDir)
    bench.inspected = []
  }
}

/** Measures a row with its floor right before and right after it: the machine is not as fast from one minute to the next. */
async function beside(floors: FloorBench, { target }: Row, measure: () => Promise<Measured>): Promise<Measured> {
  if (!('of' in target)) return measure()
  const look = async () => (await floors.measure(target.of, FLOOR_SECONDS)).perSecond!
  const before = await look()
  const measured = await measure()
  return { ...measured, floor: (before + (await look())) / 2 }
}

function keep(row: Pick<Row, 'name'> & Partial<Pick<Row, 'target'>>, measured: Measured): void {
  const line: Line = { name: row.name, measured, ...(row.target ? { target: row.target } : {}) }
  report.lines.push(line)
  if (row.target) report.missing -= 1
  // After every row, so that a run that is cut short leaves what it found.
  if (values.only.length === 0 && !values.growth) writeFileSync(join(folder, 'RESULTS.md'), document(report))
  log(`${printed([line]).split('\n')[1]!.replace(/ {3,}/g, '  ')}`)
  const cpu = cpuText(measured.cpu)
  if (cpu) log(`        CPU ms: ${cpu}`)
  for (const note of [...measured.notes, ...measured.faults.map((fault) => `! ${fault}`)]) log(`        ${note}`)
}

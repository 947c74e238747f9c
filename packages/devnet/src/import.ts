import { accessSync, constants, existsSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ApiError } from '@haat/client'
import { staff } from './actors.ts'
import { type CatalogRow, type Imported, importCatalog, type RowError, writeCsv } from './csv.ts'
import { ADMIN_LOGIN, defaultPorts } from './environment.ts'
import { createProgress } from './progress.ts'
import { importRetail } from './retail/import-retail.ts'
import { RETAIL_COLUMNS, type Retail, readRecords, readRetail } from './retail/read-retail.ts'
import { pickInvoices, printReplay, replayOrders } from './retail/replay-orders.ts'
import { roster } from './roster.ts'

const usage = `npm run import -- [options] FILE
  Imports and publishes a catalogue (CSV, or CSV.gz) into a running marketplace.
  FILE has the catalogue's own columns (vendor, product, title, sku, price, currency, …: services/catalog/README.md),
  or the online-retail format (${RETAIL_COLUMNS.join(',')}),
  whose articles become products of some vendors, priced in GBP at their median price, with the stock the file sold.

  --vendors N       online-retail: to how many vendors the articles go (4)
  --orders N        online-retail: import nothing; place and pay N of its invoices as orders
  --dry-run         check everything, write no product
  --report FILE     where refused rows are written (beside the file: FILE.errors.csv)
  --storefront URL, --vendor URL, --admin URL, --stripe URL   where the marketplace runs, if not where npm start puts it
  --email, --password   a staff login`

const local = (name: string) =>
  `http://127.0.0.1:${defaultPorts.of(roster.find((member) => member.name === name)!).port}`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vendors: { type: 'string', default: '4' },
    orders: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    report: { type: 'string' },
    storefront: { type: 'string', default: local('bff-storefront') },
    vendor: { type: 'string', default: local('bff-vendor') },
    admin: { type: 'string', default: local('bff-admin') },
    stripe: { type: 'string', default: `http://127.0.0.1:${defaultPorts.stripe}` },
    email: { type: 'string', default: ADMIN_LOGIN.email },
    password: { type: 'string', default: ADMIN_LOGIN.password },
    help: { type: 'boolean', default: false },
  },
})
const [file] = positionals
const vendors = Number(values.vendors)
const orders = values.orders === undefined ? undefined : Number(values.orders)
const whole = (value: number, max: number) => Number.isInteger(value) && value >= 1 && value <= max
if (values.help || !file || !whole(vendors, 100) || !whole(orders ?? 1, 100_000)) {
  console.log(usage)
  process.exit(values.help ? 0 : 2)
}
if (!existsSync(file)) fail(`there is no file ${file}`)

const { storefront, vendor, admin: adminUrl, stripe } = values
const place = { urls: { storefront, vendor, admin: adminUrl, mailbox: '', stripe } }

try {
  const header = (await readRecords(file).next()).value?.cells as string[] | undefined
  const isRetail = header?.join() === RETAIL_COLUMNS.join()
  if (orders !== undefined && !isRetail) fail('--orders needs a file in the online-retail format')
  const admin = await staff(place, { email: values.email, password: values.password })
  const retail = isRetail ? await readRetail(file) : undefined
  if (retail) tell(retail)
  if (retail && orders !== undefined) {
    const invoices = pickInvoices(retail.invoices, orders)
    const progress = createProgress()
    const replay = await replayOrders(place, admin, invoices, (done) => progress.show('orders', done, invoices.length))
    progress.end()
    console.log(printReplay(replay))
    process.exitCode = replay.ledgerSums.every(({ minor }) => minor === 0) && replay.stock.differences === 0 ? 0 : 1
  } else {
    const began = performance.now()
    const progress = createProgress()
    const dryRun = values['dry-run']
    const imported = retail
      ? await importRetail(place, admin, retail, { vendors, dryRun, onProgress: progress.show })
      : await importNative(file, (done, all) => progress.show('products', done, all))
    progress.end()
    conclude(imported, (performance.now() - began) / 1000)
  }

  async function importNative(path: string, onProgress: (done: number, all: number) => void): Promise<Imported> {
    const { columns, groups, errors } = await readGroups(path)
    const imported = await importCatalog(admin, columns, groups, {
      dryRun: values['dry-run'],
      onProgress: (done) => onProgress(done, groups.length),
    })
    return { ...imported, failed: imported.failed + errors.length, errors: [...errors, ...imported.errors] }
  }
} catch (error) {
  if (error instanceof ApiError) fail(error.message)
  if (error instanceof TypeError && error.message === 'fetch failed')
    fail(`nothing answers at ${adminUrl}; start the marketplace with npm start`)
  throw error
}

/** The rows of each product, which must follow each other. */
async function readGroups(path: string): Promise<{ columns: string[]; groups: CatalogRow[][]; errors: RowError[] }> {
  let columns: string[] = []
  const groups: CatalogRow[][] = []
  const errors: RowError[] = []
  const seen = new Set<string>()
  let key = ''
  for await (const row of readRecords(path)) {
    if (columns.length === 0) {
      columns = row.cells
      continue
    }
    const cell = (column: string) => row.cells[columns.findIndex((name) => name.trim() === column)]?.trim() ?? ''
    const own = `${cell('vendor')}\n${cell('product')}`
    if (own === key && groups.length > 0) groups.at(-1)!.push(row)
    else if (seen.has(own))
      errors.push({
        line: row.line,
        sku: cell('sku'),
        column: 'product',
        code: 'product_rows_apart',
        message: 'the rows of one product must follow each other',
      })
    else {
      groups.push([row])
      seen.add(own)
      key = own
    }
  }
  return { columns, groups, errors }
}

function tell({ rows, articles, invoices, leftOut }: Retail): void {
  console.log(`${rows} rows: ${articles.length} articles, ${invoices.length} invoices`)
  for (const [reason, count] of Object.entries(leftOut)) console.log(`  ${count} rows left out: ${reason}`)
}

function conclude(imported: Imported & { vendors?: number; counted?: number }, seconds: number): void {
  const { created, updated, unchanged, failed, errors } = imported
  console.log(
    `${created} products created, ${updated} updated, ${unchanged} unchanged, ${failed} refused, ${seconds.toFixed(1)} s`,
  )
  if (imported.counted !== undefined) console.log(`${imported.vendors} vendors, ${imported.counted} SKUs in stock`)
  if (errors.length === 0) return
  const report = values.report ?? reportBeside(file!)
  const rows = errors.map(({ line, sku, column, code, message }) => [String(line), sku, column, code, message])
  writeFileSync(report, writeCsv([['line', 'sku', 'column', 'code', 'message'], ...rows]))
  const byCode = Map.groupBy(errors, ({ code }) => code)
  for (const [code, own] of byCode) console.log(`  ${own.length} × ${code}: ${own[0]!.message}`)
  console.log(`every one of them, with its line: ${report}`)
  process.exitCode = 1
}

/** Beside the file, or here when its folder cannot be written. */
function reportBeside(path: string): string {
  try {
    accessSync(dirname(path), constants.W_OK)
    return `${path}.errors.csv`
  } catch {
    return join(process.cwd(), `${basename(path)}.errors.csv`)
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

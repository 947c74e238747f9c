import { fileURLToPath } from 'node:url'
import { ok } from '@haat/client'
import { expect, test } from 'vitest'
import { guest, login, staff } from '../src/actors.ts'
import { importCatalog, writeCsv } from '../src/csv.ts'
import { importRetail, skuOf, vendorOf } from '../src/retail/import-retail.ts'
import { readRetail } from '../src/retail/read-retail.ts'
import { pickInvoices, replayOrders } from '../src/retail/replay-orders.ts'
import { startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet()
const file = fileURLToPath(new URL('fixtures/retail.csv', import.meta.url))
const VENDORS = 3

test('a row that is no sale of goods makes no article, and the reasons add up to the rows', async () => {
  const { articles, invoices, rows, leftOut } = await readRetail(file)
  expect(rows).toBe(30)
  expect(leftOut).toEqual({
    'not goods (postage, fees, vouchers)': 3,
    'return or correction': 1,
    'no price': 1,
    malformed: 1,
  })
  expect(articles.map(({ code }) => code)).toHaveLength(19)
  const mug = articles.find(({ code }) => code === '10101A')!
  expect(mug).toMatchObject({ line: 2, unitsSold: 21, prices: [2.55, 2.1, 2.95, 2.55] })
  expect(invoices).toHaveLength(13)
  expect(invoices[1]).toMatchObject({
    number: '700002',
    customer: '20002',
    lines: [
      { code: '10101A', qty: 12 },
      { code: '10104', qty: 30 },
    ],
  })
  expect(pickInvoices(invoices, 4).map(({ number }) => number)).toEqual(['700001', '700004', '700009', '700012'])
  expect(pickInvoices(invoices, 100)).toHaveLength(13)
})

test('articles become live products of several vendors with stock, once; real invoices become paid orders, and the books are zero', async () => {
  const admin = await staff(devnet)
  const retail = await readRetail(file)
  const first = await importRetail(devnet, admin, retail, { vendors: VENDORS })
  expect(first).toMatchObject({ created: 17, failed: 2, counted: 17, vendors: VENDORS })
  expect(first.errors).toMatchObject([
    { line: 17, sku: 'OR-10111', code: 'title_missing' },
    { line: 19, sku: 'OR-10112', code: 'price_invalid' },
  ])
  const again = await importRetail(devnet, admin, retail, { vendors: VENDORS })
  expect(again).toMatchObject({ created: 0, updated: 0, unchanged: 17, failed: 2 })

  const { shop } = guest(devnet)
  const found = await ok(shop.GET('/v1/products', { params: { query: { page_size: 100 } } }))
  expect(found.items).toHaveLength(17)
  expect(new Set(found.items.map(({ vendorId }) => vendorId)).size).toBe(VENDORS)
  const mug = found.items.find(({ skus }) => skus.includes(skuOf('10101A')))!
  expect(mug).toMatchObject({ title: 'RED TEA MUG', minPrice: { currency: 'GBP', minor: 255 } })
  expect(vendorOf('10101A', VENDORS)).toBe(vendorOf('10101A', VENDORS))

  const replay = await replayOrders(devnet, admin, retail.invoices)
  expect(Object.fromEntries(replay.refused)).toEqual({
    'the invoice has no customer': 1,
    'no country: Unspecified': 1,
    variant_not_found: 2,
  })
  expect(replay).toMatchObject({ invoices: 13, placed: 9, paid: 9, stock: { differences: 0 } })
  expect(replay.ledgerSums.length).toBeGreaterThan(0)
  for (const sum of replay.ledgerSums) expect(sum.minor).toBe(0)
  await devnet.settle()
  const left = await ok(shop.GET('/v1/inventory/{sku}', { params: { path: { sku: skuOf('10101A') } } }))
  expect(left.available).toBe(0)
  const buyer = await login(devnet, { email: 'customer-20001@retail.example', password: 'demo-market-2026' })
  const mine = await ok(buyer.shop.GET('/v1/me/orders', { params: { query: {} } }))
  expect(mine.items.map(({ paymentStatus }) => paymentStatus)).toEqual(['paid', 'paid'])
}, 120_000)

test('a refused row of a catalogue is reported with its line in the file, whatever part it was sent in', async () => {
  const admin = await staff(devnet)
  const header = ['vendor', 'product', 'title', 'sku', 'price', 'currency', 'categories']
  const own = (line: number, sku: string, price: string) => [
    { line, cells: ['retail-house-1', sku, `Thing,\n${sku}`, sku, price, 'GBP', 'gifts'] },
  ]
  const groups = Array.from({ length: 450 }, (_, index) =>
    own(2 + index * 2, `PART-${index}`, index === 3 || index === 444 ? 'free' : '1.00'),
  )
  const dry = await importCatalog(admin, header, groups, { dryRun: true })
  expect(dry).toMatchObject({ created: 448, failed: 2 })
  expect(dry.errors.map(({ line, sku, code }) => [line, sku, code])).toEqual([
    [8, 'PART-3', 'price_invalid'],
    [890, 'PART-444', 'price_invalid'],
  ])
  expect(
    writeCsv([
      ['a', 'b"c'],
      ['d,e', 'f'],
    ]),
  ).toBe('a,"b""c"\n"d,e",f\n')
}, 60_000)

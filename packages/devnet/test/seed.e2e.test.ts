import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ok } from '@haat/client'
import { afterAll, expect, test } from 'vitest'
import { login, staff } from '../src/actors.ts'
import { planOrders } from '../src/seed/orders.ts'
import { customers } from '../src/seed/people.ts'
import { makeProducts } from '../src/seed/products.ts'
import { seed } from '../src/seed/seed.ts'
import { startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet()
const dataDir = mkdtempSync(join(tmpdir(), 'haat-seed-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

test('the factories make the same thousand products and the same orders every time', () => {
  const products = makeProducts()
  expect(products).toHaveLength(1000)
  expect(products).toEqual(makeProducts())
  expect(planOrders(20, products)).toEqual(planOrders(20, products))
  const skus = products.flatMap(({ variants }) => variants.map(({ sku }) => sku))
  expect(new Set(skus).size).toBe(skus.length)
})

test('a seed that is cut off goes on where it was, and ends as a marketplace whose books and stock add up', async () => {
  const marker = join(dataDir, 'seeded.json')
  // The whole plot with every fifth product.
  const products = makeProducts().filter((_, index) => index % 5 === 0)
  const lines: string[] = []
  const cutOff = (line: string) => {
    lines.push(line)
    if (line.includes('SKUs counted')) throw new Error('cut off')
  }
  await expect(seed(devnet, { marker, products, log: cutOff })).rejects.toThrow('cut off')
  await seed(devnet, { marker, products, log: (line) => lines.push(line) })
  await devnet.settle()
  const done = lines.length
  await seed(devnet, { marker, products, log: (line) => lines.push(line) })
  expect(lines).toHaveLength(done)

  const admin = await staff(devnet)
  const home = await ok((await login(devnet, customers[0]!.login)).shop.GET('/v1/categories'))
  expect(JSON.stringify(home)).toContain('green-tea')
  const orders = []
  for (let page_token = ''; ; ) {
    const page = await ok(admin.GET('/v1/admin/orders', { params: { query: { page_size: 50, page_token } } }))
    orders.push(...page.items)
    page_token = page.nextPageToken
    if (!page_token) break
  }
  expect(orders).toHaveLength(planOrders(20, products).length)
  expect(new Set(orders.map((order) => `${order.paymentStatus} ${order.status}`))).toEqual(
    new Set([
      'pending unfulfilled',
      'paid unfulfilled',
      'paid processing',
      'paid shipped',
      'paid delivered',
      'failed cancelled',
      'refunded cancelled',
      'partial processing',
    ]),
  )
  const trial = await ok(admin.GET('/v1/admin/ledger/trial-balance', { params: { query: {} } }))
  for (const sum of trial.sums) expect(sum!.minor).toBe(0)
  const verified = await ok(admin.GET('/v1/admin/inventory/verify', { params: { query: {} } }))
  expect(verified.differences).toEqual([])
  expect(verified.checked).toBeGreaterThan(300)
  const payouts = await ok(admin.GET('/v1/admin/payouts', { params: { query: {} } }))
  expect(payouts.items.map(({ status }) => status).sort()).toEqual(['paid', 'requested'])
  const waiting = await ok(admin.GET('/v1/admin/reviews/queue', { params: { query: {} } }))
  expect(waiting.items.length).toBeGreaterThan(0)
}, 600_000)

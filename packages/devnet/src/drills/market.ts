import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type AdminClient, ApiError, ok } from '@haat/client'
import {
  ADDRESS,
  applyAsVendor,
  approveVendor,
  createProduct,
  picture,
  publish,
  register,
  type Seller,
  type Shopper,
  seller,
  staff,
  stock,
  uploadImage,
} from '../actors.ts'
import type { Devnet } from '../devnet.ts'

export const PASSWORD = 'correct-horse-battery'
export const bdt = (minor: number) => ({ currency: 'BDT', minor })

export type Market = {
  admin: AdminClient
  /** Two vendors that may sell. */
  leaf: Seller
  cup: Seller
  categoryId: string
  /** Opens one more shop that may sell. */
  openShop(name: string): Promise<Seller>
  /** Puts a live product with one variant on a vendor's shelf; answers its id. */
  shelve(own: Seller, sku: string, priceMinor: number, onHand: number): Promise<string>
  /** A new customer with an account of their own. */
  customer(name?: string): Promise<Shopper>
  /** What can be sold of a SKU. */
  available(sku: string): Promise<number>
  /** Fails unless ledger, provider, earnings and stock all tell the same story, to the minor unit. */
  checkBooks(): Promise<void>
}

/** A small marketplace that is ready to sell: a commission of ten percent, a category, two vendors, empty shelves. */
export async function openMarket(devnet: Devnet): Promise<Market> {
  const admin = await staff(devnet)
  await ok(
    admin.PUT('/v1/admin/commission-rules', {
      body: { rules: [{ scope: 'default', percentBps: 1000, note: 'ten percent' }], expectedVersion: 0 },
    }),
  )
  const { id: categoryId } = await ok(admin.POST('/v1/admin/categories', { body: { name: 'Tea' } }))
  const openShop = async (name: string): Promise<Seller> => {
    const login = { email: `${name.toLowerCase().replace(' ', '.')}@example.com`, password: PASSWORD }
    const applicant = await applyAsVendor(
      devnet,
      { ...login, name: 'Karim Uddin' },
      { name, currency: 'BDT', country: 'BD' },
    )
    await approveVendor(admin, applicant.vendorId)
    await devnet.settle()
    return seller(devnet, login)
  }
  const leaf = await openShop('Leaf House')
  const cup = await openShop('Cup House')

  return {
    admin,
    leaf,
    cup,
    categoryId,
    openShop,
    async shelve(own, sku, priceMinor, onHand) {
      const product = await createProduct(own, {
        title: `Goods ${sku}`,
        categoryIds: [categoryId],
        imageIds: [await uploadImage(own, await picture(sku))],
        variants: [{ sku, price: bdt(priceMinor) }],
      })
      await publish(own, admin, product.id)
      await stock(own, product.id, sku, onHand, 0)
      await devnet.settle()
      return product.id
    },
    customer: (name = 'Rahima Khatun') =>
      register(devnet, { email: `${randomUUID()}@example.com`, password: PASSWORD, name }),
    async available(sku) {
      const answer = await fetch(`${devnet.urls.storefront}/v1/inventory/${sku}`)
      return ((await answer.json()) as { available: number }).available
    },
    async checkBooks() {
      await devnet.settle()
      const { balances, sums } = await ok(admin.GET('/v1/admin/ledger/trial-balance', { params: { query: {} } }))
      for (const sum of sums) assert.equal(sum?.minor, 0, `the ledger in ${sum?.currency}`)
      const clearing = balances
        .filter(({ account }) => account === 'provider_clearing:stripe')
        .map(({ balance }) => [balance!.currency.toLowerCase(), balance!.minor])
      const atProvider = Object.entries(devnet.stripe.state().balance.platform).filter(([, minor]) => minor !== 0)
      assert.deepEqual(
        Object.fromEntries(clearing.filter(([, minor]) => minor !== 0)),
        Object.fromEntries(atProvider),
        'the ledger and the provider',
      )
      await devnet.services.get('vendor')!.runJob('check-books')
      const recount = await ok(admin.GET('/v1/admin/inventory/verify', { params: { query: {} } }))
      assert.deepEqual(recount.differences, [], 'stock against its movements and reservations')
    },
  }
}

/** Fills the cart. */
export const take = (buyer: Shopper, sku: string, qty = 1) =>
  ok(buyer.shop.POST('/v1/cart/items', { body: { sku, qty } }))

/** What a customer is about to send as an order: the cart priced, the first delivery of every vendor chosen. */
export async function prepareOrder(buyer: Shopper) {
  const destination = { country: ADDRESS.country, postalCode: ADDRESS.postalCode }
  const summary = await ok(buyer.shop.POST('/v1/checkout/summary', { body: { destination } }))
  return {
    shippingAddress: ADDRESS,
    deliveries: summary.groups.map(({ vendorId, deliveryOptions }) => ({
      vendorId,
      optionId: deliveryOptions[0]!.optionId,
    })),
    paymentProvider: 'stripe' as const,
    email: buyer.email,
    expectedTotal: summary.totals!.total!,
  }
}

/** Sends an order as a patient client does: while the outcome is not known it repeats, with the same key. */
export async function insist(
  buyer: Shopper,
  body: Awaited<ReturnType<typeof prepareOrder>>,
  key: string = randomUUID(),
) {
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await ok(buyer.shop.POST('/v1/orders', { params: { header: { 'Idempotency-Key': key } }, body }))
    } catch (error) {
      const isOpen = error instanceof ApiError && [409, 503, 504].includes(error.status)
      if (!isOpen || repeats === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 20 * (repeats + 1)))
    }
  }
}

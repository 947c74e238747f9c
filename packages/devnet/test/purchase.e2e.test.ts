import { ok } from '@haat/client'
import { expect, test } from 'vitest'
import {
  applyAsVendor,
  approveVendor,
  createProduct,
  guest,
  pay,
  picture,
  placeOrder,
  publish,
  register,
  type Seller,
  seller,
  staff,
  stock,
  uploadImage,
} from '../src/actors.ts'
import { until } from '../src/until.ts'
import { mailsTo, startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet()
const PASSWORD = 'correct-horse-battery'
const bdt = (minor: number) => ({ currency: 'BDT', minor })

test('the whole story: two vendors, one checkout, paid, delivered, reviewed, paid out, and the books are zero', async () => {
  const admin = await staff(devnet)

  // The platform's rules come first: nothing is sold before its commission is known.
  await ok(
    admin.PUT('/v1/admin/commission-rules', {
      body: { rules: [{ scope: 'default', percentBps: 1000, note: 'ten percent' }], expectedVersion: 0 },
    }),
  )
  const category = await ok(admin.POST('/v1/admin/categories', { body: { name: 'Tea' } }))

  // Two vendors apply, are reviewed and go live.
  const sellers: Seller[] = []
  for (const name of ['Leaf House', 'Cup House']) {
    const login = { email: `${name.toLowerCase().replace(' ', '.')}@example.com`, password: PASSWORD }
    const applicant = await applyAsVendor(
      devnet,
      { ...login, name: 'Karim Uddin' },
      { name, currency: 'BDT', country: 'BD' },
    )
    await expect(
      ok(
        applicant.vendor.GET('/v1/vendors/{vendorId}/products', {
          params: { path: { vendorId: applicant.vendorId } },
        }),
      ),
    ).rejects.toMatchObject({ status: 403 })
    await approveVendor(admin, applicant.vendorId)
    await devnet.settle()
    sellers.push(await seller(devnet, login))
  }
  const [leaf, cup] = sellers as [Seller, Seller]
  expect(leaf.vendorId).not.toBe('')

  // Products with variants and a picture, reviewed and in stock.
  const imageId = await uploadImage(leaf, await picture('Green Tea'))
  const tea = await createProduct(leaf, {
    title: 'Green Tea',
    categoryIds: [category.id],
    imageIds: [imageId],
    options: [{ name: 'Size', values: ['100 g', '250 g'] }],
    variants: [
      { sku: 'TEA-100', price: bdt(30_000), optionValues: { Size: '100 g' } },
      { sku: 'TEA-250', price: bdt(65_000), optionValues: { Size: '250 g' } },
    ],
  })
  const mug = await createProduct(cup, {
    imageIds: [await uploadImage(cup, await picture('Clay Mug'))],
    title: 'Clay Mug',
    categoryIds: [category.id],
    variants: [{ sku: 'MUG-1', price: bdt(45_050) }],
  })
  await publish(leaf, admin, tea.id)
  await publish(cup, admin, mug.id)
  await stock(leaf, tea.id, 'TEA-100', 20)
  await stock(leaf, tea.id, 'TEA-250', 20)
  await stock(cup, mug.id, 'MUG-1', 10)
  await devnet.settle()

  // A guest fills a cart, registers, and finds it again.
  const visitor = guest(devnet)
  const page = await ok(visitor.shop.GET('/v1/products/{slug}', { params: { path: { slug: tea.slug } } }))
  expect(page).toMatchObject({ vendor: { name: 'Leaf House' }, stock: { 'TEA-100': 20, 'TEA-250': 20 }, degraded: [] })
  const cart = await ok(visitor.shop.POST('/v1/cart/items', { body: { sku: 'TEA-100', qty: 3 } }))
  visitor.identity.cartToken = cart.cartToken ?? undefined
  await ok(visitor.shop.POST('/v1/cart/items', { body: { sku: 'MUG-1', qty: 2 } }))
  const buyer = await register(
    devnet,
    { email: 'rahima@example.com', password: PASSWORD, name: 'Rahima Khatun' },
    visitor,
  )
  expect((await ok(buyer.shop.GET('/v1/cart'))).items.map((item) => [item.sku, item.qty]).sort()).toEqual([
    ['MUG-1', 2],
    ['TEA-100', 3],
  ])

  // A coupon of the platform's.
  await ok(
    admin.POST('/v1/admin/coupons', {
      body: {
        code: 'WELCOME10',
        description: 'Ten percent',
        type: 'percent',
        percentBps: 1000,
        fundedBy: 'platform',
        isActive: true,
      },
    }),
  )
  await ok(buyer.shop.POST('/v1/cart/apply-coupon', { body: { code: 'WELCOME10' } }))

  // Summary and order agree to the minor unit.
  const { summary, order, payment } = await placeOrder(buyer)
  expect(summary.groups).toHaveLength(2)
  expect(summary.coupons).toMatchObject([{ code: 'WELCOME10', accepted: true }])
  expect(order.amounts!.total).toEqual(summary.totals!.total)
  expect(summary.totals!.discount).toEqual(bdt(Math.round((90_000 + 90_100) / 10)))
  expect(order).toMatchObject({ paymentStatus: 'pending', status: 'unfulfilled' })

  // Paid at the emulator; its webhook does the rest.
  expect((await pay(devnet, payment!)).status).toBe(200)
  await devnet.settle()
  const orderPage = () => ok(buyer.shop.GET('/v1/orders/{orderNo}', { params: { path: { orderNo: order.orderNo } } }))
  expect((await orderPage()).order).toMatchObject({ paymentStatus: 'paid' })
  expect((await ok(buyer.shop.GET('/v1/cart'))).items).toEqual([])
  expect(await ok(buyer.shop.GET('/v1/inventory/{sku}', { params: { path: { sku: 'TEA-100' } } }))).toMatchObject({
    available: 17,
  })

  // Both vendors accept, label and ship; the carrier delivers.
  for (const own of sellers) {
    const path = { vendorId: own.vendorId }
    const { items } = await ok(own.vendor.GET('/v1/vendors/{vendorId}/orders', { params: { path, query: {} } }))
    expect(items).toHaveLength(1)
    const id = items[0]!.id
    await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', { params: { path: { ...path, id } } }))
    await devnet.settle()
    const parcel = await ok(
      own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { params: { path: { ...path, id } }, body: {} }),
    )
    expect(parcel.trackingNo).not.toBe('')
    const label = await own.vendor.GET('/v1/vendors/{vendorId}/shipments/{id}/label.pdf', {
      params: { path: { ...path, id: parcel.id } },
      parseAs: 'arrayBuffer',
    })
    expect(
      Buffer.from(label.data as unknown as ArrayBuffer)
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-')
    const scan = (fulfilment: 'shipped' | 'delivered') =>
      ok(
        own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/ship', {
          params: { path: { ...path, id } },
          body: { fulfilment, carrier: parcel.carrier, trackingNo: parcel.trackingNo },
        }),
      )
    await scan('shipped')
    await devnet.settle()
    await scan('delivered')
    await devnet.settle()
  }
  expect((await orderPage()).order).toMatchObject({ status: 'delivered' })

  // A verified review, moderated.
  const review = await ok(
    buyer.shop.POST('/v1/reviews', {
      body: {
        productId: tea.id,
        orderNo: order.orderNo,
        sku: 'TEA-100',
        rating: 5,
        title: 'Fresh',
        body: 'Very good.',
        authorName: 'Rahima',
      },
    }),
  )
  await ok(
    admin.POST('/v1/admin/reviews/{id}/moderate', {
      params: { path: { id: review.id } },
      body: { decision: 'approved' },
    }),
  )
  await devnet.settle()
  // A page may be two seconds old.
  const rated = async () => {
    const { product } = await ok(visitor.shop.GET('/v1/products/{slug}', { params: { path: { slug: tea.slug } } }))
    return product.ratingCount ? product : undefined
  }
  expect(await until('the rating on the page', rated, 2)).toMatchObject({ ratingAvg: 5, ratingCount: 1 })

  // Earnings carry the commission of the sale; the balance is paid out after a second person's approval.
  const path = { vendorId: leaf.vendorId }
  const earnings = await ok(leaf.vendor.GET('/v1/vendors/{vendorId}/earnings', { params: { path, query: {} } }))
  const line = earnings.items.find((earning) => earning.orderItemId !== null)!
  expect(line).toMatchObject({ type: 'sale', status: 'eligible', gross: bdt(79_435), ruleVersion: 1 })
  // 900.00 less the tax in the discounted price; ten percent of the price before the platform's discount.
  expect(line).toMatchObject({ commission: bdt(9_000), net: bdt(70_435) })
  const balance = await ok(leaf.vendor.GET('/v1/vendors/{vendorId}/balance', { params: { path } }))
  const available = balance.items[0]!.available!
  expect(available.minor).toBeGreaterThan(0)
  const payout = await ok(
    leaf.vendor.POST('/v1/vendors/{vendorId}/payout-request', {
      params: { path, header: { 'Idempotency-Key': 'first-payout-of-leaf' } },
      body: { currency: 'BDT', expectedAmount: available },
    }),
  )
  await ok(admin.POST('/v1/admin/payouts/{id}/approve', { params: { path: { id: payout.id } } }))
  await devnet.settle()
  const explained = await ok(admin.GET('/v1/admin/payouts/{id}', { params: { path: { id: payout.id }, query: {} } }))
  expect(explained.payout).toMatchObject({ status: 'paid', amount: available })
  const explainedSum = explained.entries.reduce((sum, entry) => sum + (entry.earning?.net?.minor ?? 0), 0)
  expect(explainedSum).toBe(available.minor)

  // The books.
  const trial = await ok(admin.GET('/v1/admin/ledger/trial-balance', { params: { query: {} } }))
  expect(trial.sums.length).toBeGreaterThan(0)
  for (const sum of trial.sums) expect(sum?.minor).toBe(0)

  // Every mail of the story is in the mailbox.
  const subjects = (await mailsTo(devnet, buyer.email)).map((mail) => mail.subject).join('\n')
  expect(subjects).toContain(order.orderNo)
  const vendorMails = (await mailsTo(devnet, 'leaf.house@example.com')).map((mail) => mail.subject)
  expect(vendorMails.length).toBeGreaterThanOrEqual(3)
}, 120_000)

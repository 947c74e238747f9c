import { randomUUID } from 'node:crypto'
import { type AdminClient, ok, type StorefrontClient } from '@haat/client'
import {
  applyToSell,
  approveVendor,
  createProduct,
  guest,
  pay,
  picture,
  publish,
  register,
  type Seller,
  type Shopper,
  seller,
  send,
  staff,
  stock,
  uploadImage,
} from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { until } from '../../until.ts'
import { aBirthday, aName, anAccountNo, anEmail, anIban, aPhone, aSecret, type createCanaries } from './canaries.ts'

type Place = Pick<Devnet, 'urls' | 'settle'>
type Plant = ReturnType<typeof createCanaries>['plant']

/** The people of the story: each has told the marketplace everything it asks. */
export type People = { admin: AdminClient; buyer: Shopper; owner: Seller; member: Shopper }

const bdt = (minor: number) => ({ currency: 'BDT', minor })

/**
 * Everything that personal data goes through: two vendors' people hand in papers and bank accounts, a customer buys twice, cancels
 * once, gets money back for a line, reviews, and the vendor is paid out.
 */
export async function live(place: Place, plant: Plant): Promise<People> {
  const admin = await staff(place)
  await ok(
    admin.PUT('/v1/admin/commission-rules', {
      body: { rules: [{ scope: 'default', percentBps: 1000, note: 'ten percent' }], expectedVersion: 0 },
    }),
  )
  const category = await ok(admin.POST('/v1/admin/categories', { body: { name: 'Tea' } }))
  const { owner, member } = await openShop(place, admin, plant)
  const product = await createProduct(owner, {
    title: 'Green Tea',
    categoryIds: [category.id],
    imageIds: [await uploadImage(owner, await picture('Green Tea'))],
    variants: [{ sku: 'TEA-1', price: bdt(30_000) }],
  })
  await publish(owner, admin, product.id)
  await stock(owner, product.id, 'TEA-1', 50)
  await place.settle()

  const buyer = await moveIn(place, plant)
  const cancelled = await buy(place, buyer, plant, 'first')
  await ok(
    buyer.shop.POST('/v1/orders/{orderNo}/cancel', {
      params: { path: { orderNo: cancelled } },
      body: { reason: 'customer_request', note: plant("the buyer's note", `moved out, ask ${aName()}`) },
    }),
  )
  await place.settle()
  const orderNo = await buy(place, buyer, plant, 'second')
  await refundOne(place, admin, owner)
  await deliver(place, owner)
  await praise(buyer, admin, { productId: product.id, orderNo }, plant)
  await payOut(place, owner, admin)
  await place.settle()
  return { admin, buyer, owner, member }
}

/** An owner who applies with everything, is approved, and lets somebody else work there too. */
async function openShop(place: Place, admin: AdminClient, plant: Plant) {
  const login = { email: plant("the owner's e-mail", anEmail()), password: plant("the owner's password", aSecret()) }
  const applicant = await register(place, { ...login, name: plant("the owner's name", aName()) })
  await ok(applicant.shop.PATCH('/v1/me', { body: { phone: plant("the owner's phone", aPhone()) } }))
  const { id: vendorId } = await applyToSell(applicant, { name: 'Leaf House', currency: 'BDT', country: 'BD' })
  const first = await seller(place, login)
  const path = { vendorId }
  await ok(
    first.vendor.PATCH('/v1/vendors/{vendorId}', {
      params: { path },
      body: {
        supportEmail: plant("the shop's contact e-mail", anEmail()),
        supportPhone: plant("the shop's contact phone", aPhone()),
      },
    }),
  )
  for (const docType of ['national_id', 'trade_license', 'tax_certificate']) {
    const fileName = `${plant(`the file name of ${docType}`, aName())}.pdf`
    const text = plant(`what ${docType} says`, `tax-${anAccountNo()}`)
    await send(`${place.urls.vendor}/v1/vendors/${vendorId}/kyc?docType=${docType}&fileName=${fileName}`, {
      method: 'POST',
      token: first.identity.token,
      type: 'application/pdf',
      body: Buffer.from(`%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% ${text}\ntrailer<</Root 1 0 R>>\n%%EOF\n`),
    })
  }
  const account = { bankName: 'Demo Bank', country: 'BD' }
  await ok(
    first.vendor.POST('/v1/vendors/{vendorId}/bank', {
      params: { path },
      body: {
        ...account,
        accountHolder: plant('the account holder', aName()),
        accountNo: plant('the account number', anAccountNo()),
        routing: plant('the routing number', anAccountNo()),
      } as never,
    }),
  )
  await ok(
    first.vendor.POST('/v1/vendors/{vendorId}/bank', {
      params: { path },
      body: {
        ...account,
        accountHolder: plant('the holder of the IBAN', aName()),
        iban: plant('the IBAN', anIban()),
        country: 'DE',
      } as never,
    }),
  )
  await approveVendor(admin, vendorId)
  await place.settle()
  const owner = await until('the vendor in the token', async () => {
    const found = await seller(place, login)
    return found.vendorId ? found : undefined
  })
  const member = await register(place, {
    email: plant("the member's e-mail", anEmail()),
    password: plant("the member's password", aSecret()),
    name: plant("the member's name", aName()),
  })
  await place.settle()
  await ok(
    owner.vendor.POST('/v1/vendors/{vendorId}/members', {
      params: { path },
      body: { email: member.email, permissions: ['orders.read'] },
    }),
  )
  await place.settle()
  return { owner, member }
}

/** A customer who tells everything, asks for a new password, and mistypes the old one. */
async function moveIn(place: Place, plant: Plant): Promise<Shopper> {
  const visitor = guest(place)
  const buyer = await register(
    place,
    {
      email: plant("the buyer's e-mail", anEmail()),
      password: plant("the buyer's password", aSecret()),
      name: plant("the buyer's name", aName()),
    },
    visitor,
  )
  plant("the buyer's access token", buyer.identity.token!)
  await place.settle()
  await ok(
    buyer.shop.PATCH('/v1/me', {
      body: {
        phone: plant("the buyer's phone", aPhone()),
        dob: plant("the buyer's date of birth", aBirthday()),
        avatarUrl: `https://pictures.example/${plant("the buyer's picture", aName())}.png`,
      },
    }),
  )
  await ok(
    buyer.shop.POST('/v1/me/addresses', {
      body: { label: plant('the label of an address', aName()), address: anAddress(plant, 'the address book') },
    }),
  )
  await ok(
    buyer.shop.POST('/v1/me/push', {
      body: {
        endpoint: `https://push.example/${plant('the push address', aName())}`,
        p256dh: Buffer.alloc(65, 4).toString('base64url'),
        auth: Buffer.alloc(16, 7).toString('base64url'),
      },
    }),
  )
  await ok(guest(place).shop.POST('/v1/auth/forgot-password', { body: { email: buyer.email } }))
  await place.settle()
  return buyer
}

const anAddress = (plant: Plant, whose: string) => ({
  name: plant(`the name in ${whose}`, aName()),
  line1: plant(`line 1 of ${whose}`, `12 ${aName()} Road`),
  line2: plant(`line 2 of ${whose}`, aName()),
  city: plant(`the city of ${whose}`, aName()),
  state: plant(`the state of ${whose}`, aName()),
  postalCode: plant(`the postal code of ${whose}`, aName().slice(0, 10)),
  country: 'BD',
  phone: plant(`the phone of ${whose}`, aPhone()),
})

/** Buys two units to an address of its own; answers the order's number. */
async function buy(place: Place, buyer: Shopper, plant: Plant, which: string): Promise<string> {
  await ok(buyer.shop.POST('/v1/cart/items', { body: { sku: 'TEA-1', qty: 2 } }))
  const shippingAddress = anAddress(plant, `the ${which} parcel`)
  const { groups, totals } = await price(buyer.shop, shippingAddress)
  const { order, payment } = await ok(
    buyer.shop.POST('/v1/orders', {
      params: { header: { 'Idempotency-Key': randomUUID() } },
      body: {
        shippingAddress,
        billingAddress: anAddress(plant, `the ${which} invoice`),
        deliveries: groups.map(({ vendorId, deliveryOptions }) => ({
          vendorId,
          optionId: deliveryOptions[0]!.optionId,
        })),
        paymentProvider: 'stripe',
        email: plant(`the e-mail of the ${which} order`, anEmail()),
        expectedTotal: totals!.total!,
      },
    }),
  )
  await pay(place, payment!)
  await until('the order to be paid', async () => {
    const page = await ok(buyer.shop.GET('/v1/orders/{orderNo}', { params: { path: { orderNo: order.orderNo } } }))
    return page.order.paymentStatus === 'paid' || undefined
  })
  await place.settle()
  return order.orderNo
}

const price = (shop: StorefrontClient, { country, postalCode }: { country: string; postalCode: string }) =>
  ok(shop.POST('/v1/checkout/summary', { body: { destination: { country, postalCode } } }))

const ordersOf = async (owner: Seller) => {
  const params = { path: { vendorId: owner.vendorId }, query: {} }
  return (await ok(owner.vendor.GET('/v1/vendors/{vendorId}/orders', { params }))).items
}

/** The vendor accepts, labels and ships what is to be delivered. */
async function deliver(place: Place, owner: Seller): Promise<void> {
  const open = (await ordersOf(owner)).find(({ status }) => status === 'pending')!
  const params = { path: { vendorId: owner.vendorId, id: open.id } }
  await ok(owner.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', { params }))
  await place.settle()
  const parcel = await ok(owner.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { params, body: {} }))
  for (const fulfilment of ['shipped', 'delivered'] as const) {
    await ok(
      owner.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/ship', {
        params,
        body: { fulfilment, carrier: parcel.carrier, trackingNo: parcel.trackingNo },
      }),
    )
    await place.settle()
  }
}

/** Staff gives the money of one unit back. */
async function refundOne(place: Place, admin: AdminClient, owner: Seller): Promise<void> {
  const open = (await ordersOf(owner)).find(({ status }) => status === 'pending')!
  await ok(
    admin.POST('/v1/admin/vendor-orders/{id}/refunds', {
      params: { path: { id: open.id }, header: { 'Idempotency-Key': randomUUID() } },
      body: {
        lines: [{ orderItemId: open.items[0]!.id, qty: 1 }],
        reason: 'one of them is broken',
        includeShipping: false,
        restock: false,
      },
    }),
  )
  await place.settle()
}

async function praise(
  buyer: Shopper,
  admin: AdminClient,
  of: { productId: string; orderNo: string },
  plant: Plant,
): Promise<void> {
  const review = await ok(
    buyer.shop.POST('/v1/reviews', {
      body: {
        ...of,
        sku: 'TEA-1',
        rating: 5,
        title: 'Fresh',
        body: 'Very good.',
        authorName: plant('the name under a review', aName()),
      },
    }),
  )
  await ok(
    admin.POST('/v1/admin/reviews/{id}/moderate', {
      params: { path: { id: review.id } },
      body: { decision: 'approved' },
    }),
  )
}

async function payOut(place: Place, owner: Seller, admin: AdminClient): Promise<void> {
  const path = { vendorId: owner.vendorId }
  await place.settle()
  const available = await until('earnings that can be paid out', async () => {
    const { items } = await ok(owner.vendor.GET('/v1/vendors/{vendorId}/balance', { params: { path } }))
    const money = items[0]?.available
    return money && money.minor > 0 ? money : undefined
  })
  const payout = await ok(
    owner.vendor.POST('/v1/vendors/{vendorId}/payout-request', {
      params: { path, header: { 'Idempotency-Key': randomUUID() } },
      body: { currency: 'BDT', expectedAmount: available },
    }),
  )
  await ok(admin.POST('/v1/admin/payouts/{id}/approve', { params: { path: { id: payout.id } } }))
  await place.settle()
}

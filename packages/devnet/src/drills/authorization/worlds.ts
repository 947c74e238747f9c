import { randomUUID } from 'node:crypto'
import { ok } from '@haat/client'
import { Channel } from '@haat/proto/notification/v1/notification'
import { ADDRESS, createProduct, pay, placeOrder, type Seller, type Shopper } from '../../actors.ts'
import { bdt, type Market, PASSWORD, take } from '../market.ts'
import type { Rpcs } from '../rpcs.ts'
import type { Named } from '../throwaway.ts'

/** One customer and one vendor with everything of theirs that has an id, and what the platform owns. */
export type World = {
  name: 'A' | 'B' | 'absent'
  // The customer's.
  userId: string
  email: string
  sessionId: string
  addressId: string
  cartToken: string
  /** Paid and with the vendor. */
  orderNo: string
  orderId: string
  paymentId: string
  /** Placed, not paid. */
  unpaidOrderNo: string
  unpaidOrderId: string
  deliveredOrderNo: string
  uploadId: string
  reviewId: string
  // The vendor's.
  vendorId: string
  vendorSlug: string
  productId: string
  slug: string
  sku: string
  /** A product that nobody but the vendor may see. */
  draftId: string
  draftSlug: string
  draftSku: string
  vendorOrderId: string
  orderItemId: string
  shipmentId: string
  trackingNo: string
  couponId: string
  couponCode: string
  rateTableId: string
  webhookId: string
  documentId: string
  bankAccountId: string
  memberId: string
  memberEmail: string
  payoutId: string
  // The platform's.
  categoryId: string
  brandId: string
  messageId: string
  serviceAccountId: string
  templateKey: string
}

/** The ids of things that do not exist. */
export function absentWorld(): World {
  const named: Partial<World> = {
    name: 'absent',
    email: 'nobody.at.all@example.com',
    memberEmail: 'nobody.at.all@example.com',
    cartToken: 'absentabsentabsentabsentabsentabsent0000000',
    orderNo: 'HAAT-22222-22222',
    unpaidOrderNo: 'HAAT-22222-22222',
    deliveredOrderNo: 'HAAT-22222-22222',
    vendorSlug: 'no-such-vendor',
    slug: 'no-such-product',
    sku: 'NO-SUCH-SKU',
    draftSlug: 'no-such-product',
    draftSku: 'NO-SUCH-SKU',
    trackingNo: 'HT0000000000000',
    couponCode: 'NOSUCHCODE',
    templateKey: 'no_such_template',
  }
  return new Proxy(named as World, {
    get(world, field: keyof World) {
      world[field] ??= randomUUID() as never
      return world[field]
    },
  })
}

export type Residents = { buyer: Shopper; own: Seller }

/** Builds a world around a vendor of the market, through the same doors as everybody. */
export async function buildWorld(
  devnet: Named,
  rpcs: Rpcs,
  market: Market,
  of: { name: 'A' | 'B'; own: Seller; adminToken: string },
): Promise<{ world: World; residents: Residents }> {
  const { name, own } = of
  const lower = name.toLowerCase()
  const staff = { token: of.adminToken }
  const buyer = await market.customer(`Customer of World ${name}`)
  const asBuyer = { token: buyer.identity.token! }
  const asSeller = { token: own.identity.token! }
  const { vendorId } = own
  const path = { vendorId }

  const sku = `GOODS-${name}`
  const productId = await market.shelve(own, sku, 30_000, 1_000)
  const { product } = await rpcs.ask('catalog.GetProduct', { productId })
  const draft = await createProduct(own, {
    title: `Unpublished of World ${name}`,
    categoryIds: [market.categoryId],
    variants: [{ sku: `DRAFT-${name}`, price: bdt(99_900) }],
  })
  const { vendor } = await rpcs.ask('vendor.GetVendor', { vendorId }, asSeller)

  const { address } = await rpcs.ask(
    'profile.CreateAddress',
    { label: 'Home', address: { ...ADDRESS, line2: '', state: '', line1: privateLine(name) }, makeDefault: true },
    asBuyer,
  )
  const guest = await rpcs.ask('cart.AddItem', { sku, qty: 1 })
  const { sessions } = await rpcs.ask('auth.ListSessions', {}, asBuyer)
  const upload = await rpcs.ask(
    'catalog.CreateUpload',
    { purpose: 4, fileName: 'picture.png', contentType: 'image/png', sizeBytes: 100 },
    asBuyer,
  )

  const order = async (how: 'unpaid' | 'accepted' | 'delivered') => {
    await take(buyer, sku, 2)
    const placed = await placeOrder(buyer, { address: { ...ADDRESS, line1: privateLine(name) } })
    if (how === 'unpaid') return { order: placed.order, part: undefined, parcel: undefined }
    await pay(devnet, placed.payment!)
    await devnet.settle()
    const { items } = await ok(
      own.vendor.GET('/v1/vendors/{vendorId}/orders', { params: { path, query: { q: placed.order.orderNo } } }),
    )
    const part = items[0]!
    const at = { params: { path: { ...path, id: part.id } } }
    await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/accept', at))
    await devnet.settle()
    const parcel = await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/label', { ...at, body: {} }))
    if (how === 'delivered')
      for (const fulfilment of ['shipped', 'delivered'] as const) {
        const body = { fulfilment, carrier: parcel.carrier, trackingNo: parcel.trackingNo }
        await ok(own.vendor.POST('/v1/vendors/{vendorId}/orders/{id}/ship', { ...at, body }))
        await devnet.settle()
      }
    return { order: placed.order, part, parcel }
  }
  const delivered = await order('delivered')
  const open = await order('accepted')
  const unpaid = await order('unpaid')
  const { review } = await rpcs.ask(
    'review.SubmitReview',
    {
      productId,
      orderNo: delivered.order.orderNo,
      sku,
      rating: 5,
      title: 'Good',
      body: 'It works.',
      authorName: `World ${name}`,
    },
    asBuyer,
  )
  await rpcs.ask('review.ModerateReview', { reviewId: review.id, decision: 2 }, staff)
  const { payment } = await rpcs.ask('payment.GetPayment', { key: { $case: 'orderId', value: open.order.id } }, asBuyer)

  await devnet.services.get('vendor')!.runJob('make-earnings-eligible')
  await devnet.settle()
  const { balances } = await rpcs.ask('vendor.GetBalance', { vendorId }, asSeller)
  const { payout } = await rpcs.ask(
    'vendor.RequestPayout',
    {
      vendorId,
      currency: 'BDT',
      expectedAmount: balances[0].available,
      idempotencyKey: `payout-of-${lower}`,
    },
    asSeller,
  )
  const couponCode = `WORLD${name}`
  const { coupon } = await rpcs.ask(
    'promotion.CreateCoupon',
    { code: couponCode, type: 1, percentBps: 500, fundedBy: 2, vendorId, isActive: true },
    asSeller,
  )
  const { rateTable } = await rpcs.ask('shipping.UpsertRateTable', rateTableOf(vendorId, 'own'), asSeller)
  const { webhook } = await rpcs.ask(
    'notification.CreateWebhook',
    { vendorId, url: 'https://hooks.example.com/x', eventTypes: ['payout.failed'] },
    asSeller,
  )
  const { documents } = await rpcs.ask('vendor.ListKycDocuments', { vendorId }, asSeller)
  const { bankAccounts } = await rpcs.ask('vendor.ListBankAccounts', { vendorId }, asSeller)
  const memberEmail = `member.${lower}@example.com`
  const { user: member } = await rpcs.ask('auth.Register', { email: memberEmail, password: PASSWORD, name: 'Member' })
  await rpcs.ask('vendor.InviteMember', { vendorId, email: memberEmail, permissions: ['orders.read'] }, asSeller)

  const { category } = await rpcs.ask('catalog.CreateCategory', { name: `Category ${name}` }, staff)
  const { brand } = await rpcs.ask('catalog.CreateBrand', { name: `Brand ${name}` }, staff)
  const templateKey = `world_${lower}`
  await rpcs.ask('notification.UpsertTemplate', templateOf(templateKey), staff)
  const { message } = await rpcs.ask(
    'notification.Send',
    {
      templateKey,
      channel: Channel.EMAIL,
      to: { $case: 'userId', value: buyer.userId },
      dedupeKey: `hello-world-${lower}`,
    },
    staff,
  )
  const { serviceAccount } = await rpcs.ask(
    'auth.CreateServiceAccount',
    { name: `tool-of-${lower}`, permissions: [] },
    staff,
  )
  return {
    residents: { buyer, own },
    world: {
      name,
      userId: buyer.userId,
      email: buyer.email,
      sessionId: sessions[0].id,
      addressId: address.id,
      cartToken: guest.cartToken ?? guest.cart.cartToken,
      orderNo: open.order.orderNo,
      orderId: open.order.id,
      paymentId: payment.id,
      unpaidOrderNo: unpaid.order.orderNo,
      unpaidOrderId: unpaid.order.id,
      deliveredOrderNo: delivered.order.orderNo,
      uploadId: upload.uploadId,
      reviewId: review.id,
      vendorId,
      vendorSlug: vendor.slug,
      productId,
      slug: product.slug,
      sku,
      draftId: draft.id,
      draftSlug: draft.slug,
      draftSku: `DRAFT-${name}`,
      vendorOrderId: open.part!.id,
      orderItemId: open.part!.items[0]!.id,
      shipmentId: open.parcel!.id,
      trackingNo: open.parcel!.trackingNo,
      couponId: coupon.id,
      couponCode,
      rateTableId: rateTable.id,
      webhookId: webhook.id,
      documentId: documents[0].id,
      bankAccountId: bankAccounts[0].id,
      memberId: member.id,
      memberEmail,
      payoutId: payout.id,
      categoryId: category.id,
      brandId: brand.id,
      messageId: message.id,
      serviceAccountId: serviceAccount.id,
      templateKey,
    },
  }
}

const privateLine = (name: string) => `7 Private Lane of World ${name}`

/** What of a world nobody outside of it may ever read. */
export const secretsOf = (world: World): string[] => [
  privateLine(world.name),
  world.email,
  world.orderNo,
  `Unpublished of World ${world.name}`,
]

export const rateTableOf = (vendorId: string, code: string) => ({
  vendorId,
  code,
  label: 'Own delivery',
  serviceLevel: 'standard',
  basis: 1,
  countries: ['GB'],
  currency: 'GBP',
  brackets: [{ upTo: 0n, amount: { currency: 'GBP', minor: 500n } }],
  minDays: 1,
  maxDays: 3,
  isActive: true,
})

export const templateOf = (key: string) => ({
  key,
  channel: Channel.EMAIL,
  locale: 'en',
  subject: 'Hello',
  bodyMd: 'Hello.',
  topic: 1,
})

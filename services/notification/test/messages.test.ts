import { newId } from '@haat/kit/id'
import { UserCreated, UserEmailVerificationRequested, UserPasswordResetRequested } from '@haat/proto/auth/v1/events'
import { CartAbandoned } from '@haat/proto/cart/v1/events'
import { InventoryLowStock } from '@haat/proto/inventory/v1/events'
import { Channel, MessageStatus, Topic } from '@haat/proto/notification/v1/notification'
import { OrderCancelled, OrderPaid, OrderRefunded, VendorOrderShipped } from '@haat/proto/order/v1/events'
import { CancelReason } from '@haat/proto/order/v1/order'
import { PaymentRefunded } from '@haat/proto/payment/v1/events'
import { ProfileUpdated, UserForgotten } from '@haat/proto/profile/v1/events'
import { VendorApproved } from '@haat/proto/vendor/v1/events'
import { customer } from '@haat/testkit/tokens'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { ProviderError } from '../src/channels/provider.ts'
import { startHarness } from './harness.ts'

const h = await startHarness()
const taka = (minor: bigint) => ({ currency: 'BDT', minor })

const amounts = { subtotal: taka(20000n), discount: taka(0n), shipping: taka(500n), tax: taka(0n), total: taka(20500n) }
const paid = (to: { userId: string; email: string }, vendorId = newId(), orderNo = `HT-${newId().slice(-6)}`) =>
  OrderPaid.fromPartial({
    orderId: newId(),
    orderNo,
    ...to,
    customerName: 'Ayesha',
    amounts,
    paidAt: new Date('2026-03-14T09:30:00Z'),
    vendorOrders: [
      {
        vendorOrderId: newId(),
        vendorId,
        vendorNet: taka(18000n),
        lines: [{ title: 'Clay <b>tea</b> set', sku: 'TEA', qty: 2, subtotal: taka(20000n) }],
      },
    ],
  })

const refunded = (to: { userId: string; email: string }) =>
  OrderRefunded.fromPartial({ refundId: newId(), orderId: newId(), orderNo: 'HT-5', ...to, amount: taka(100n) })

test('a paid order is told to the customer and to those of the vendor who may see orders', async () => {
  const buyer = h.user()
  const { vendorId, ownerUser, clerkUser } = await h.shop()
  const event = paid({ userId: buyer.id, email: buyer.email }, vendorId)
  const { eventId } = await h.happen(OrderPaid, event)
  const messages = await h.list({ eventId })
  expect(new Map(messages.map((m) => [m.to, m.templateKey]))).toEqual(
    new Map([
      [buyer.email, 'order_paid'],
      [ownerUser.email, 'vendor_order_new'],
      [clerkUser.email, 'vendor_order_new'],
    ]),
  )
  for (const message of messages)
    expect(message).toMatchObject({ status: MessageStatus.SENT, provider: 'smtp', attempts: 1, error: '' })
  const mail = h.email.sent.find((m) => m.to === buyer.email)!
  expect(mail.subject).toBe(`Thank you: order ${event.orderNo} is paid`)
  expect(mail.html).toContain('Clay &lt;b&gt;tea&lt;/b&gt; set')
  expect(mail.html).toContain(`https://shop.test/orders/${event.orderNo}`)
  expect(mail.text).toMatch(/Clay <b>tea<\/b> set \| 2 \| BDT\s200\.00/)
  expect(mail.unsubscribe?.url).toMatch(/^https:\/\/shop\.test\/unsubscribe\?token=/)
})

test('an event that comes again tells nobody again', async () => {
  const buyer = h.user()
  const { vendorId } = await h.shop()
  const envelope = await h.happen(OrderPaid, paid({ userId: buyer.id, email: buyer.email }, vendorId))
  await h.database.db.deleteFrom('inbox' as never).execute()
  await h.publishRaw(envelope)
  await h.work()
  expect(await h.list({ eventId: envelope.eventId })).toHaveLength(3)
  expect(h.email.sent.filter((m) => m.to === buyer.email)).toHaveLength(1)
})

test('several workers at once send every message once', async () => {
  const buyers = Array.from({ length: 60 }, () => h.user())
  h.email.fail(...buyers.map(() => new ProviderError('smtp 421')))
  await Promise.all(
    buyers.map(({ id }) =>
      h.neighbour.send({
        templateKey: 'account_unblocked',
        channel: Channel.EMAIL,
        to: { $case: 'userId', value: id },
        dedupeKey: newId(),
      }),
    ),
  )
  await h.work()
  h.pass(60)
  await Promise.all([h.worker(), h.worker(), h.worker(), h.work()])
  for (const { email } of buyers) expect(h.email.sent.filter((m) => m.to === email)).toHaveLength(1)
})

test('an address that an event does not hold is asked from auth, once', async () => {
  const owner = h.user({ locale: 'bn' })
  const approved = VendorApproved.fromPartial({
    vendorId: newId(),
    ownerUserId: owner.id,
    name: 'Dhaka Crafts',
    slug: 'dc',
  })
  await h.happen(VendorApproved, approved)
  expect(h.email.sent.find((m) => m.to === owner.email)?.subject).toBe('Dhaka Crafts এখন বিক্রি করতে পারবে')
  const { auth } = h.asked
  await h.happen(VendorApproved, approved)
  expect(h.asked.auth).toBe(auth)
  expect(await h.list({ userId: owner.id })).toHaveLength(2)
})

test('a message for nobody fails and says so', async () => {
  const { eventId } = await h.happen(
    VendorApproved,
    VendorApproved.fromPartial({ vendorId: newId(), ownerUserId: newId(), name: 'X', slug: 'x' }),
  )
  expect(await h.list({ eventId })).toMatchObject([{ status: MessageStatus.FAILED, error: 'user_not_found' }])
})

test('while auth or vendor do not answer, messages wait, however long it takes, and nobody is left out afterwards', async () => {
  const owner = h.user()
  const shop = await h.shop()
  h.down.auth = true
  h.down.vendor = true
  const approved = VendorApproved.fromPartial({ vendorId: newId(), ownerUserId: owner.id, name: 'X', slug: 'x' })
  const low = InventoryLowStock.fromPartial({ sku: 'S-1', vendorId: shop.vendorId, productId: newId(), onHand: 2 })
  await h.happen(VendorApproved, approved)
  const { eventId } = await h.happen(InventoryLowStock, low)
  const askedBefore = h.asked.vendor
  // More often than any schedule has attempts.
  for (let i = 0; i < 10; i++) {
    h.pass(40)
    await h.work()
  }
  expect(h.asked.vendor - askedBefore).toBe(10)
  expect(await h.list({ userId: owner.id })).toMatchObject([
    { status: MessageStatus.QUEUED, error: 'recipient_unresolved', attempts: 0 },
  ])
  h.down.auth = false
  h.down.vendor = false
  h.pass(40)
  await h.work()
  expect(await h.list({ userId: owner.id })).toMatchObject([{ status: MessageStatus.SENT, to: owner.email }])
  // The clerk may not see the stock.
  expect((await h.list({ eventId })).map((m) => m.to)).toEqual([shop.ownerUser.email])
})

test('a failing provider is tried again with growing pauses, and each attempt counts', async () => {
  const { id, email } = h.user()
  h.email.fail(new ProviderError('smtp 451'), new ProviderError('smtp 451', { retryAfterSeconds: 900 }))
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  const one = async () => (await h.list({ userId: id }))[0]!
  const waitSeconds = (message: Awaited<ReturnType<typeof one>>, since: number) =>
    (message.nextAttemptAt!.getTime() - since) / 1000
  let message = await one()
  expect(message).toMatchObject({ status: MessageStatus.QUEUED, attempts: 1, error: 'smtp 451', provider: 'smtp' })
  await h.work()
  expect(await one()).toMatchObject({ attempts: 1 })
  h.pass(40)
  const before = message.nextAttemptAt!.getTime()
  await h.work()
  message = await one()
  expect(message.attempts).toBe(2)
  // The provider asked for a quarter of an hour, which is longer than our own pause.
  expect(waitSeconds(message, before)).toBeGreaterThan(890)
  h.pass(1000)
  await h.work()
  expect(await one()).toMatchObject({ status: MessageStatus.SENT, attempts: 3, error: '' })
  expect(h.email.sent.filter((m) => m.to === email)).toHaveLength(1)
})

test('what a provider refuses for good is not tried again, until staff says so', async () => {
  const { id, email } = h.user()
  h.email.fail(new ProviderError('smtp 550 EENVELOPE', { permanent: true }))
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  const [failed] = await h.list({ userId: id })
  expect(failed).toMatchObject({ status: MessageStatus.FAILED, error: 'smtp 550 EENVELOPE', nextAttemptAt: undefined })
  const { message } = await h.operator.retryMessage({ messageId: failed!.id })
  expect(message).toMatchObject({ status: MessageStatus.QUEUED, attempts: 0 })
  await h.work()
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.SENT, attempts: 1 }])
  await expect(h.operator.retryMessage({ messageId: failed!.id })).rejects.toMatchObject({
    status: 'FAILED_PRECONDITION',
    code: 'message_status_conflict',
  })
  await expect(h.operator.retryMessage({ messageId: newId() })).rejects.toMatchObject({ code: 'message_not_found' })
})

test('attempts end, and the message is failed', async () => {
  const { id, email } = h.user()
  h.email.fail(...Array.from({ length: 7 }, () => new ProviderError('smtp 451')))
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  for (let i = 0; i < 6; i++) {
    h.pass(30_000)
    await h.work()
  }
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.FAILED, attempts: 7 }])
})

test('a message whose sender died is sent by another one when the lease is over, and not before', async () => {
  const { id, email } = h.user()
  h.email.fail(new ProviderError('smtp 451'))
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  const leased = new Date(h.now().getTime() + 3600_000)
  await h.database.db
    .updateTable('messages' as never)
    .set({ leased_until: leased } as never)
    .where('user_id' as never, '=', id as never)
    .execute()
  h.pass(60)
  await h.work()
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.QUEUED, attempts: 1 }])
  h.pass(3600)
  await h.work()
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.SENT, attempts: 2 }])
})

test('what was sent while the store went away is noted when the store is back, and not sent again', async () => {
  const { id, email } = h.user()
  await h.trouble('messages', 2)
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.SENT, attempts: 1 }])
  expect(h.email.sent.filter(({ to }) => to === email)).toHaveLength(1)
})

test('a batch that cannot be prepared is given back at once, and no attempt counts', async () => {
  const { id, email } = h.user()
  const rename = (from: string, to: string) =>
    sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(h.database.db as never)
  await rename('templates', 'templates_away')
  try {
    await expect(h.happen(OrderRefunded, refunded({ userId: id, email }))).rejects.toThrow('templates')
  } finally {
    await rename('templates_away', 'templates')
  }
  await h.work()
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.SENT, attempts: 1 }])
})

test('a link is mailed, and neither it nor its token stays behind', async () => {
  const user = h.user()
  const data = UserPasswordResetRequested.fromPartial({
    userId: user.id,
    email: user.email,
    name: 'Ayesha',
    locale: 'bn',
    token: 'to+ken/1',
    expiresAt: new Date(Date.now() + 1e9),
  })
  const { eventId } = await h.happen(UserPasswordResetRequested, data)
  const mail = h.email.sent.find((m) => m.to === user.email)!
  expect(mail.html).toContain('https://shop.test/reset-password?token=to%2Bken%2F1')
  expect(mail.subject).toBe('নতুন পাসওয়ার্ড দিন')
  expect(mail.unsubscribe).toBeUndefined()
  expect(await h.list({ eventId })).toMatchObject([
    { status: MessageStatus.SENT, bodyHtml: '', bodyText: '', to: user.email, topic: Topic.ACCOUNT },
  ])
  const stored = await h.dump('messages')
  expect(stored).not.toContain('to+ken')
  expect(stored).not.toContain('to%2Bken')
})

test('a link that has expired is not sent', async () => {
  const user = h.user()
  h.email.fail(new ProviderError('smtp 451'))
  const data = UserEmailVerificationRequested.fromPartial({
    userId: user.id,
    email: user.email,
    token: 'secret-token',
    expiresAt: new Date(Date.now() + 3600_000 * 24 * 30),
  })
  const { eventId } = await h.happen(UserEmailVerificationRequested, data)
  h.pass(3600 * 24 * 31)
  await h.work()
  expect(await h.list({ eventId })).toMatchObject([{ status: MessageStatus.FAILED, error: 'expired' }])
  await h.service.service.runJob('sweep')
  expect(await h.dump('messages')).not.toContain('secret-token')
  expect(h.email.sent.filter((m) => m.to === user.email)).toHaveLength(0)
})

test('who opted out of a topic gets nothing of it, and account mail all the same', async () => {
  const buyer = await customer()
  const user = h.user({ id: buyer.userId })
  const me = h.as(buyer)
  const defaults = (await me.getPreferences({})).preferences
  expect(defaults).toHaveLength(18)
  const { preferences } = await me.setPreferences({
    preferences: [
      { topic: Topic.ORDERS, channel: Channel.EMAIL, enabled: false },
      { topic: Topic.ACCOUNT, channel: Channel.EMAIL, enabled: false },
    ],
  })
  const of = (topic: Topic, channel: Channel) =>
    preferences.find((p) => p.topic === topic && p.channel === channel)?.enabled
  expect([of(Topic.ORDERS, Channel.EMAIL), of(Topic.ACCOUNT, Channel.EMAIL)]).toEqual([false, true])
  expect([of(Topic.MARKETING, Channel.EMAIL), of(Topic.SHIPPING, Channel.SMS)]).toEqual([false, false])
  const to = { userId: user.id, email: user.email }
  await h.happen(OrderRefunded, refunded(to))
  await h.happen(
    UserPasswordResetRequested,
    UserPasswordResetRequested.fromPartial({ ...to, token: 't', expiresAt: new Date(Date.now() + 1e10) }),
  )
  expect((await h.list({ userId: user.id })).map((m) => [m.templateKey, m.status])).toEqual([
    ['password_reset', MessageStatus.SENT],
    ['order_refunded', MessageStatus.SUPPRESSED],
  ])
  await expect(h.anyone.setPreferences({ preferences: defaults })).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
})

test("a mail's own link stops messages of its kind, for its person only", async () => {
  const user = h.user()
  const other = h.user()
  const refund = (u: typeof user) => h.happen(OrderRefunded, refunded({ userId: u.id, email: u.email }))
  await refund(user)
  const { url } = h.email.sent.find((m) => m.to === user.email)!.unsubscribe!
  const token = new URL(url).searchParams.get('token')!
  expect(await h.anyone.unsubscribe({ token })).toEqual({ topic: Topic.ORDERS, channel: Channel.EMAIL })
  await refund(user)
  await refund(other)
  const statuses = async (userId: string) => (await h.list({ userId })).map((m) => m.status)
  expect(await statuses(user.id)).toEqual([MessageStatus.SUPPRESSED, MessageStatus.SENT])
  expect(await statuses(other.id)).toEqual([MessageStatus.SENT])
  const forged = `${Buffer.from(`${other.id}:orders:email`).toString('base64url')}.${token.split('.')[1]}`
  for (const bad of [forged, 'nonsense', `${token}x`])
    await expect(h.anyone.unsubscribe({ token: bad })).rejects.toMatchObject({ code: 'unsubscribe_token_invalid' })
})

test('an abandoned cart is mentioned only to people who opted in, whoever they were before', async () => {
  const user = h.user()
  const abandon = () =>
    h.happen(
      CartAbandoned,
      CartAbandoned.fromPartial({
        cartId: newId(),
        userId: user.id,
        items: [{ title: 'Jamdani', qty: 1 }],
        subtotal: taka(850000n),
      }),
    )
  const profile = (marketingOptIn: boolean) =>
    ProfileUpdated.fromPartial({ userId: user.id, name: 'Ayesha', locale: 'en', marketingOptIn })
  await abandon()
  await h.happenAt(7, ProfileUpdated, profile(true))
  // An older update that comes late changes nothing.
  await h.happenAt(5, ProfileUpdated, profile(false))
  await abandon()
  await h.happenAt(9, ProfileUpdated, profile(false))
  await abandon()
  expect((await h.list({ userId: user.id })).map((m) => m.status)).toEqual([
    MessageStatus.SUPPRESSED,
    MessageStatus.SENT,
    MessageStatus.SUPPRESSED,
  ])
  await h.happen(CartAbandoned, CartAbandoned.fromPartial({ cartId: newId(), items: [{ title: 'X', qty: 1 }] }))
})

test('text messages go to people who asked for them, by the number of their profile', async () => {
  const buyer = await customer()
  const user = h.user({ id: buyer.userId })
  h.phones.set(user.id, '+8801712345678')
  const ship = () =>
    h.happen(
      VendorOrderShipped,
      VendorOrderShipped.fromPartial({
        vendorOrderId: newId(),
        vendorId: newId(),
        userId: user.id,
        email: user.email,
        orderNo: 'HT-7',
        trackingNo: 'TRK1',
        shippedAt: new Date(),
      }),
    )
  await ship()
  expect(h.sms.sent).toHaveLength(0)
  await h.as(buyer).setPreferences({ preferences: [{ topic: Topic.SHIPPING, channel: Channel.SMS, enabled: true }] })
  await ship()
  expect(h.sms.sent).toMatchObject([
    { to: '+8801712345678', text: 'Haat: a parcel of order HT-7 is on its way. Tracking: TRK1', html: '' },
  ])
})

test('a name and a language that came with the account are used, and the profile overrules them', async () => {
  const userId = newId()
  const email = `${userId}@mail.test`
  await h.happen(UserCreated, UserCreated.fromPartial({ userId, email, name: 'Rahim', locale: 'bn' }))
  expect(h.email.sent.find((m) => m.to === email)?.text).toContain('প্রিয় Rahim')
  await h.happenAt(3, ProfileUpdated, ProfileUpdated.fromPartial({ userId, name: 'Rahim Khan', locale: 'en' }))
  await h.happen(OrderRefunded, refunded({ userId, email }))
  expect(h.email.sent.filter((m) => m.to === email).at(-1)?.text).toContain('Hello Rahim Khan,')
})

test('a forgotten person leaves no address, name or text behind, and hears nothing more', async () => {
  const user = h.user()
  const to = { userId: user.id, email: user.email }
  await h.happen(UserCreated, UserCreated.fromPartial({ ...to, name: 'Nasreen Forget', locale: 'en' }))
  await h.happen(OrderPaid, paid(to))
  h.email.fail(new ProviderError('smtp 451'))
  await h.happen(OrderRefunded, refunded(to))
  await h.happen(UserForgotten, UserForgotten.fromPartial({ userId: user.id, forgottenAt: new Date() }))
  await h.happen(OrderRefunded, refunded(to))
  // Neither an account event that comes late nor a profile brings them back.
  await h.happen(UserCreated, UserCreated.fromPartial({ ...to, name: 'Nasreen Forget', locale: 'en' }))
  await h.happenAt(99, ProfileUpdated, ProfileUpdated.fromPartial({ userId: user.id, name: 'Nasreen Forget' }))
  h.pass(3600)
  const before = h.email.sent.length
  await h.work()
  expect(h.email.sent).toHaveLength(before)
  const messages = await h.list({ userId: user.id })
  expect(messages).toHaveLength(5)
  for (const message of messages)
    expect(message).toMatchObject({ to: '', subject: '', bodyHtml: '', bodyText: '', nextAttemptAt: undefined })
  for (const table of ['messages', 'people', 'preferences', 'notices']) {
    const text = await h.dump(table)
    expect(text).not.toContain(user.email)
    expect(text).not.toContain('Nasreen')
  }
})

test('a cancelled order says why, in one message', async () => {
  const user = h.user()
  const cancel = (reason: CancelReason) =>
    h.happen(
      OrderCancelled,
      OrderCancelled.fromPartial({
        orderId: newId(),
        orderNo: 'HT-9',
        userId: user.id,
        email: user.email,
        reason,
        lines: [{ title: 'Tea', qty: 1 }],
      }),
    )
  await cancel(CancelReason.PAYMENT_EXPIRED)
  // A failed checkout was seen on the spot, and refunds have a message of their own.
  await cancel(CancelReason.CHECKOUT_FAILED)
  await cancel(CancelReason.REFUNDED)
  const mails = h.email.sent.filter((m) => m.to === user.email)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.text).toContain('The payment did not arrive in time.')
  expect(mails[0]?.text).toContain('You have not been charged.')
})

test('a refund is told once, whether order, payment or both tell of it', async () => {
  const user = h.user()
  const both = refunded({ userId: user.id, email: user.email })
  const { refundId, orderNo, amount } = both
  const byPayment = PaymentRefunded.fromPartial({ paymentId: newId(), userId: user.id, refundId, orderNo, amount })
  await h.happen(OrderRefunded, { ...both, reason: 'customer_request' })
  await h.happen(PaymentRefunded, byPayment)
  expect(h.email.sent.filter((m) => m.to === user.email)).toHaveLength(1)
  await h.happen(PaymentRefunded, { ...byPayment, refundId: newId(), reason: 'paid after the order was cancelled' })
  const mails = h.email.sent.filter((m) => m.to === user.email)
  expect(mails.map((m) => m.text.includes('> '))).toEqual([false, true])
})

test('a waiting message survives a restart', async () => {
  const { id, email } = h.user()
  h.email.fail(new ProviderError('smtp 451'))
  await h.happen(OrderRefunded, refunded({ userId: id, email }))
  await h.restart()
  h.pass(3600)
  await h.work()
  expect(await h.list({ userId: id })).toMatchObject([{ status: MessageStatus.SENT }])
})

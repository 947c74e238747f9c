import { createECDH, randomBytes } from 'node:crypto'
import { newId } from '@haat/kit/id'
import { Channel, MessageStatus, Topic } from '@haat/proto/notification/v1/notification'
import { OrderRefunded } from '@haat/proto/order/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import { customer } from '@haat/testkit/tokens'
import { expect, test } from 'vitest'
import { ProviderError } from '../src/channels/provider.ts'
import { createOutbound } from '../src/outbound.ts'
import { startHarness } from './harness.ts'

const outbound = createOutbound({
  allowPrivate: false,
  lookup: (_host, _options, callback) => callback(null, [{ address: '93.184.216.34', family: 4 }]),
})
const h = await startHarness({ overrides: { outbound, pushPublicKey: 'a-public-key' } })
const key = createECDH('prime256v1')
key.generateKeys()
const keys = { p256dh: key.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') }
const subscription = () => ({ endpoint: `https://push.example.com/${newId()}`, ...keys })

async function person() {
  const identity = await customer()
  const user = h.user({ id: identity.userId })
  const client = h.as(identity)
  return {
    user,
    client,
    refund: () =>
      h.happen(
        OrderRefunded,
        OrderRefunded.fromPartial({
          orderId: newId(),
          refundId: newId(),
          orderNo: 'HT-3',
          userId: user.id,
          email: user.email,
          amount: { currency: 'BDT', minor: 5000n },
        }),
      ),
    pushed: async () => (await h.list({ userId: user.id, channel: Channel.PUSH })).map((m) => m.to),
  }
}

test('every browser of a person gets the message, with a title, words and a link', async () => {
  const p = await person()
  const [a, b] = [subscription(), subscription()]
  await p.client.subscribePush(a)
  await p.client.subscribePush(b)
  await p.client.subscribePush(a)
  await p.refund()
  const sent = h.push.sent.filter((m) => [a.endpoint, b.endpoint].includes(m.to))
  expect(sent).toHaveLength(2)
  expect(sent[0]).toMatchObject({
    text: 'Order HT-3.',
    html: '',
    link: 'https://shop.test/orders/HT-3',
    keys,
  })
  expect(sent[0]?.subject).toMatch(/^BDT\s50\.00 comes back to you$/)
  await p.client.unsubscribePush({ endpoint: a.endpoint })
  await p.client.unsubscribePush({ endpoint: a.endpoint })
  await p.refund()
  expect(await p.pushed()).toHaveLength(3)
})

test('a browser that changes hands shows nothing that was meant for who had it before', async () => {
  const [first, second] = [await person(), await person()]
  const browser = subscription()
  await first.client.subscribePush(browser)
  h.push.fail(new ProviderError('web_push 503'))
  await first.refund()
  await second.client.subscribePush(browser)
  h.pass(60)
  await h.work()
  const [message] = await h.list({ userId: first.user.id, channel: Channel.PUSH })
  expect(message).toMatchObject({ status: MessageStatus.FAILED, error: 'push_subscription_gone' })
  await first.client.unsubscribePush({ endpoint: browser.endpoint })
  await second.refund()
  expect(await second.pushed()).toEqual([browser.endpoint])
})

test('a person has ten browsers at most, and the oldest goes', async () => {
  const p = await person()
  const all = Array.from({ length: 12 }, subscription)
  for (const one of all) await p.client.subscribePush(one)
  await p.refund()
  expect(new Set(await p.pushed())).toEqual(new Set(all.slice(2).map((s) => s.endpoint)))
})

test('a subscription that ended at the push service is removed', async () => {
  const p = await person()
  await p.client.subscribePush(subscription())
  h.push.fail(new ProviderError('web_push 410', { permanent: true, gone: true }))
  await p.refund()
  await p.refund()
  expect(await p.pushed()).toHaveLength(1)
})

test('who does not want push gets none, and a forgotten person loses the subscription', async () => {
  const p = await person()
  const browser = subscription()
  await p.client.subscribePush(browser)
  await p.client.setPreferences({ preferences: [{ topic: Topic.ORDERS, channel: Channel.PUSH, enabled: false }] })
  await p.refund()
  expect(await p.pushed()).toEqual([])
  await h.publish(UserForgotten, UserForgotten.fromPartial({ userId: p.user.id }))
  expect(await h.dump('push_subscriptions')).not.toContain(browser.endpoint)
})

test('a service may push to a person, one copy per browser under one key', async () => {
  const p = await person()
  await h.operator.upsertTemplate({
    key: 'parade',
    channel: Channel.PUSH,
    locale: 'en',
    subject: 'Today',
    bodyMd: 'Come [here]({{url}})',
    topic: Topic.ORDERS,
  })
  const request = {
    templateKey: 'parade',
    channel: Channel.PUSH,
    to: { $case: 'userId' as const, value: p.user.id },
    payload: { url: 'https://shop.test/parade' },
    dedupeKey: newId(),
  }
  await expect(h.neighbour.send(request)).rejects.toMatchObject({ code: 'recipient_missing' })
  await p.client.subscribePush(subscription())
  await p.client.subscribePush(subscription())
  const { message } = await h.neighbour.send(request)
  expect((await h.neighbour.send(request)).message?.id).toBe(message?.id)
  await h.work()
  expect(await h.list({ userId: p.user.id })).toMatchObject([
    { status: MessageStatus.SENT, bodyText: 'Come' },
    { status: MessageStatus.SENT, bodyText: 'Come' },
  ])
})

test('an endpoint inside our network, and keys that are none, are refused', async () => {
  const p = await person()
  await expect(
    p.client.subscribePush({ ...subscription(), endpoint: 'https://169.254.169.254/x' }),
  ).rejects.toMatchObject({ status: 'INVALID_ARGUMENT', code: 'push_endpoint_forbidden' })
  await expect(p.client.subscribePush({ ...subscription(), auth: 'AAAA' })).rejects.toMatchObject({
    code: 'request_invalid',
    details: { fields: [{ field: 'auth' }] },
  })
  await expect(h.anyone.subscribePush(subscription())).rejects.toMatchObject({ status: 'UNAUTHENTICATED' })
  expect(await h.anyone.getPushKey({})).toEqual({ publicKey: 'a-public-key' })
})

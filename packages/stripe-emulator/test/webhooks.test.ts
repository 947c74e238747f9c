import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { signWebhook } from '../src/webhooks/sign-webhook.ts'
import { pay, problem, type Receiver, secret, start, startReceiver } from './harness.ts'

async function startBoth() {
  const receiver = await startReceiver()
  return { receiver, ...(await start({ webhook: [{ url: receiver.url, secret }] })) }
}

/** Signatures are checked by the receiver through constructEvent: what is received was signed. */
const succeeded = (receiver: Receiver) =>
  receiver.received.map(({ event }) => event).filter((event) => event.type === 'payment_intent.succeeded')

describe('webhooks', () => {
  it('tell what happened, in order, signed so that constructEvent accepts them', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    const intent = await pay(stripe, 1_000, { metadata: { order: 'HT-1' } })
    await stripe.refunds.create({ payment_intent: intent.id })
    await emulator.settle()
    expect(receiver.types()).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'refund.created',
      'charge.refunded',
    ])
    expect(succeeded(receiver)[0]?.data.object).toMatchObject({ id: intent.id, metadata: { order: 'HT-1' } })
  })

  it('a body changed on the way, or another secret, is not accepted', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    await pay(stripe)
    await emulator.settle()
    const { body, signature } = receiver.received[0] ?? { body: '', signature: '' }
    const { webhooks } = new Stripe('sk_test_haat')
    expect(() => webhooks.constructEvent(body.replace('usd', 'bdt'), signature, secret)).toThrow(/signature/i)
    expect(() => webhooks.constructEvent(body, signature, 'whsec_other')).toThrow(/signature/i)
    const old = signWebhook(body, secret, Math.floor(Date.now() / 1000) - 301)
    expect(() => webhooks.constructEvent(body, old, secret)).toThrow(/tolerance/)
  })

  it('an event is a snapshot: it shows the object as it was then', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    await pay(stripe)
    await emulator.settle()
    expect(receiver.received[0]?.event.data.object).toMatchObject({ status: 'requires_confirmation' })
  })

  it('a refused delivery is repeated with the same event until it is accepted', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    receiver.answers.push(500, 503, 302)
    await stripe.paymentIntents.create({ amount: 100, currency: 'usd' })
    await emulator.settle()
    expect(new Set(receiver.received.map(({ event }) => event.id)).size).toBe(1)
    expect(emulator.state().webhooks).toMatchObject({ owed: 0 })
    expect(emulator.state().webhooks.attempts.map(({ status }) => status)).toEqual([500, 503, 302, 200])
  })

  it('a refused delivery does not hold up those behind it', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    receiver.answers.push(500)
    await pay(stripe)
    await emulator.settle()
    expect(receiver.types()[0]).toBe('payment_intent.created')
    expect(receiver.types().slice(1).toSorted()).toEqual([
      'charge.succeeded',
      'payment_intent.created',
      'payment_intent.succeeded',
    ])
  })

  it('a lost event is never delivered, and is still on record for who asks', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'lose', type: 'payment_intent.succeeded' })
    await pay(stripe)
    await pay(stripe)
    await emulator.settle()
    expect(succeeded(receiver)).toHaveLength(1)
    expect((await stripe.events.list({ type: 'payment_intent.succeeded' })).data).toHaveLength(2)
  })

  it('a doubled event arrives twice with one id', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'double', type: 'payment_intent.succeeded' })
    await pay(stripe)
    await emulator.settle()
    const [first, second, ...rest] = succeeded(receiver)
    expect(first?.id).toBe(second?.id)
    expect(rest).toEqual([])
  })

  it('reordered events arrive last one first', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'reorder', count: 3 })
    await pay(stripe)
    await emulator.settle()
    expect(receiver.types()).toEqual(['payment_intent.succeeded', 'charge.succeeded', 'payment_intent.created'])
  })

  it('settling lets go of events that wait for others to be reordered with', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'reorder', count: 10 })
    await pay(stripe)
    await emulator.settle()
    expect(receiver.types()).toEqual(['payment_intent.succeeded', 'charge.succeeded', 'payment_intent.created'])
  })

  it('a delayed event is overtaken by those that follow', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'delay', delayMs: 100, type: 'payment_intent.created' })
    await pay(stripe)
    await emulator.settle()
    expect(receiver.types().at(-1)).toBe('payment_intent.created')
  })

  it('a wrong amount is well signed and told only by the webhook', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.webhooks({ kind: 'wrong-amount', deltaMinor: -999, type: 'payment_intent.succeeded' })
    const { id } = await pay(stripe, 1_000)
    await emulator.settle()
    expect(succeeded(receiver)[0]?.data.object).toMatchObject({ amount: 1, amount_received: 1 })
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ amount: 1_000, amount_received: 1_000 })
    expect((await stripe.events.list({ type: 'payment_intent.succeeded' })).data[0]?.data.object).toMatchObject({
      amount: 1_000,
    })
  })

  it('nothing is delivered during a pause, and everything after it', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    emulator.faults.pauseWebhooks()
    await pay(stripe)
    await emulator.settle()
    expect(receiver.received).toEqual([])
    emulator.faults.resumeWebhooks()
    await emulator.settle()
    expect(receiver.types()).toEqual(['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'])
  })

  it('an endpoint made through the API gets the events it asked for, signed with the secret it was given', async () => {
    const receiver = await startReceiver()
    const { emulator, stripe } = await start()
    const endpoint = await stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ['charge.succeeded'] })
    expect(endpoint.secret).toMatch(/^whsec_/)
    expect((await stripe.webhookEndpoints.list()).data[0]).not.toHaveProperty('secret')
    receiver.secret = endpoint.secret ?? ''
    await pay(stripe)
    await emulator.settle()
    expect(receiver.types()).toEqual(['charge.succeeded'])

    await stripe.webhookEndpoints.del(endpoint.id)
    await pay(stripe)
    await emulator.settle()
    expect(receiver.received).toHaveLength(1)
  })

  it('an event can be fetched by its id and by its type', async () => {
    const { stripe } = await start()
    await pay(stripe)
    const [event] = (await stripe.events.list({ types: ['charge.succeeded'] })).data
    expect(await stripe.events.retrieve(event?.id ?? '')).toEqual(event)
    expect((await stripe.events.list({ type: 'payment_intent.*' })).data).toHaveLength(2)
    expect(await problem(stripe.events.retrieve('evt_none'))).toMatchObject({ code: 'resource_missing' })
  })

  it('an event names the request and the key that caused it', async () => {
    const { stripe } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 100, currency: 'usd' }, { idempotencyKey: 'order-1' })
    const [event] = (await stripe.events.list()).data
    expect(event?.request).toEqual({ id: intent.lastResponse.requestId, idempotency_key: 'order-1' })
  })

  it('settling says what is owed when a receiver never accepts', async () => {
    const { receiver, emulator, stripe } = await startBoth()
    receiver.answers.push(...Array.from({ length: 10_000 }, () => 500))
    await stripe.paymentIntents.create({ amount: 100, currency: 'usd' })
    await expect(emulator.settle(50)).rejects.toThrow(/payment_intent.created/)
  })
})

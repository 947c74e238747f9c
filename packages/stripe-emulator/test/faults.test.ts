import { describe, expect, it } from 'vitest'
import { pay, problem, secret, secretKey, start, startReceiver } from './harness.ts'

const params = { amount: 1_000, currency: 'usd' }

describe('API faults', () => {
  it('a 500 before the request took effect leaves nothing behind', async () => {
    const { stripe, emulator } = await start()
    emulator.faults.api({ kind: 'error-before', path: '/v1/payment_intents' })
    expect(await problem(stripe.paymentIntents.create(params))).toMatchObject({ statusCode: 500 })
    expect(emulator.state().paymentIntents).toEqual([])
    expect((await stripe.paymentIntents.create(params)).status).toBe('requires_payment_method')
  })

  it('a connection reset before the request took effect is an unknown outcome with no effect', async () => {
    const { stripe, emulator } = await start()
    // The SDK sends again once by itself.
    emulator.faults.api({ kind: 'reset-before', path: '/v1/payment_intents', times: 2 })
    expect(await problem(stripe.paymentIntents.create(params))).toMatchObject({ type: 'StripeConnectionError' })
    expect(emulator.state().paymentIntents).toEqual([])
  })

  it('after a connection reset that hid an effect, the SDK’s own second send replays it', async () => {
    const { stripe, emulator } = await start()
    emulator.faults.api({ kind: 'reset-after', path: '/v1/payment_intents' })
    const intent = await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    expect(intent.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(emulator.state().paymentIntents.map(({ id }) => id)).toEqual([intent.id])
  })

  it('a client that gives up waiting leaves the effect behind, and finds it under its key', async () => {
    const { stripe, emulator } = await start()
    const intent = await pay(stripe)
    const held = emulator.faults.api({ kind: 'hold', path: '/v1/refunds' })
    const patience = new AbortController()
    const headers = {
      authorization: `Bearer ${secretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': 'refund-1',
    }
    const body = `payment_intent=${intent.id}`
    const request = fetch(`${emulator.url}/v1/refunds`, { method: 'POST', headers, body, signal: patience.signal })
    await held.arrived
    patience.abort()
    await expect(request).rejects.toThrow()
    const [refund] = emulator.state().refunds
    expect(refund).toMatchObject({ amount: 10_000 })

    held.release()
    const again = await stripe.refunds.create({ payment_intent: intent.id }, { idempotencyKey: 'refund-1' })
    expect(again.id).toBe(refund?.id)
  })

  it('the webhook may arrive before the answer does', async () => {
    const receiver = await startReceiver()
    const { stripe, emulator } = await start({ webhook: [{ url: receiver.url, secret }] })
    const held = emulator.faults.api({ kind: 'hold', path: '/v1/payment_intents' })
    const answer = pay(stripe)
    await held.arrived
    await emulator.settle()
    expect(receiver.types()).toContain('payment_intent.succeeded')
    held.release()
    expect((await answer).status).toBe('succeeded')
  })

  it('a fault meets only its method and path, as often as it was told', async () => {
    const { stripe, emulator } = await start()
    emulator.faults.api({ kind: 'error-before', path: '/v1/payment_intents/*/confirm', times: 2 })
    const { id } = await stripe.paymentIntents.create(params)
    const confirm = () => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })
    expect(await problem(confirm())).toMatchObject({ statusCode: 500 })
    expect(await problem(confirm())).toMatchObject({ statusCode: 500 })
    expect((await confirm()).status).toBe('succeeded')
  })
})

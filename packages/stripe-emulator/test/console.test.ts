import { describe, expect, it } from 'vitest'
import type { StripeEmulator } from '../src/start-stripe-emulator.ts'
import { type JsonBody, pay, problem, secret, start, startReceiver } from './harness.ts'

async function control(emulator: StripeEmulator, method: string, path: string, body?: object) {
  const response = await fetch(`${emulator.url}/_emulator/${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as JsonBody }
}

function press(
  emulator: StripeEmulator,
  intent: { id: string; client_secret: string | null },
  fields: Record<string, string>,
) {
  return fetch(`${emulator.url}/_emulator/pay/${intent.id}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: fields.accept ?? 'text/html' },
    body: new URLSearchParams({ client_secret: intent.client_secret ?? '', ...fields }),
  })
}

describe('the admin surface', () => {
  it('sets faults, pauses, settles and shows the state over HTTP as in process', async () => {
    const receiver = await startReceiver()
    const { emulator, stripe } = await start()
    await control(emulator, 'POST', 'webhooks', { url: receiver.url, secret })
    await control(emulator, 'POST', 'faults/webhooks', { kind: 'double', type: 'payment_intent.succeeded' })
    await control(emulator, 'POST', 'webhooks/pause')
    await pay(stripe, 1_000)
    await control(emulator, 'POST', 'webhooks/settle')
    expect(receiver.received).toEqual([])
    await control(emulator, 'POST', 'webhooks/resume')
    await control(emulator, 'POST', 'webhooks/settle')
    expect(receiver.types().filter((type) => type === 'payment_intent.succeeded')).toHaveLength(2)
    expect((await control(emulator, 'GET', 'state')).body).toMatchObject({ balance: { platform: { usd: 941 } } })
  })

  it('holds and releases answers', async () => {
    const { emulator, stripe } = await start()
    const { body } = await control(emulator, 'POST', 'faults/api', { kind: 'hold', path: '/v1/balance' })
    const balance = stripe.balance.retrieve()
    await control(emulator, 'POST', `faults/api/${body.id}/release`)
    expect((await balance).object).toBe('balance')
  })

  it.each([
    ['faults/api', { kind: 'explode', path: '/v1/*' }],
    ['faults/api', { kind: 'hold' }],
    ['faults/webhooks', { kind: 'delay' }],
    ['webhooks', { url: 'http://shop.example' }],
  ])('%s refuses %o', async (path, body) => {
    const { emulator } = await start()
    expect((await control(emulator, 'POST', path, body)).status).toBe(400)
  })

  it('forgets the account on reset and keeps delivering to configured endpoints', async () => {
    const receiver = await startReceiver()
    const { emulator, stripe } = await start({ webhook: [{ url: receiver.url, secret }] })
    await pay(stripe)
    await emulator.settle()
    await control(emulator, 'POST', 'reset')
    expect(emulator.state()).toMatchObject({ charges: [], events: [], balance: { platform: {} } })
    const before = receiver.received.length
    await pay(stripe)
    await emulator.settle()
    expect(receiver.received).toHaveLength(before + 3)
  })

  it('answers 404 for what it does not know', async () => {
    const { emulator } = await start()
    expect((await control(emulator, 'GET', 'nothing')).status).toBe(404)
    expect((await control(emulator, 'POST', 'payment_intents/pi_none/authenticate')).status).toBe(404)
    expect((await control(emulator, 'GET', 'health')).body).toEqual({ status: 'ok' })
  })
})

describe('the payment page', () => {
  it('shows the amount and pays at the press of a button, back to the shop', async () => {
    const { emulator, stripe } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 12_345, currency: 'bdt' })
    const page = await fetch(`${emulator.url}/_emulator/pay/${intent.id}?client_secret=${intent.client_secret}`)
    expect(await page.text()).toContain('123.45')

    const pressed = await press(emulator, intent, { action: 'pay', return_url: 'https://shop.example/done?order=1' })
    expect(pressed.status).toBe(303)
    expect(pressed.headers.get('location')).toMatch(
      /^https:\/\/shop\.example\/done\?order=1&payment_intent=pi_.*redirect_status=succeeded$/,
    )
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded')
  })

  it('tells programs the outcome as JSON', async () => {
    const { emulator, stripe } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    const declined = await press(emulator, intent, { action: 'decline', accept: 'application/json' })
    expect(await declined.json()).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined' },
    })
  })

  it('is where 3-D Secure is passed or failed', async () => {
    const { emulator, stripe } = await start()
    const intent = await pay(stripe, 1_000, {
      payment_method: 'pm_card_authenticationRequired',
      return_url: 'https://shop.example/done',
    })
    const page = await fetch(intent.next_action?.redirect_to_url?.url ?? '')
    expect(await page.text()).toContain('Complete authentication')
    expect((await press(emulator, intent, { action: 'pass' })).headers.get('location')).toContain(
      'redirect_status=succeeded',
    )
  })

  it('belongs to whoever has the client secret, and shows nothing as markup', async () => {
    const { emulator, stripe } = await start()
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    expect((await press(emulator, { id: intent.id, client_secret: 'other' }, { action: 'pay' })).status).toBe(404)
    const evil = encodeURIComponent('https://shop.example/"><script>')
    const page = await fetch(
      `${emulator.url}/_emulator/pay/${intent.id}?client_secret=${intent.client_secret}&return_url=${evil}`,
    )
    expect(await page.text()).not.toContain('<script>')
    const scheme = await press(emulator, intent, { action: 'pay', return_url: 'javascript:alert(1)' })
    expect(scheme.status).toBe(200)
    expect(await problem(stripe.paymentIntents.cancel(intent.id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
  })
})

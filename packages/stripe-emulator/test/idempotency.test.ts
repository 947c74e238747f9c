import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pay, problem, rawPost, start, vendorAccount } from './harness.ts'

const params = { amount: 1_000, currency: 'usd' }

describe('idempotency keys', () => {
  it('the first result is replayed, and says so', async () => {
    const { stripe, emulator } = await start()
    const first = await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    const again = await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    expect(again).toEqual(first)
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(again.lastResponse.headers).toMatchObject({
      'idempotent-replayed': 'true',
      'original-request': first.lastResponse.requestId,
    })
    expect(emulator.state().paymentIntents).toHaveLength(1)
  })

  it('what is replayed is the first answer, even after the object has changed', async () => {
    const { stripe } = await start()
    const { id } = await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })
    const again = await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    expect(again).toMatchObject({ id, status: 'requires_payment_method' })
  })

  it('a declined card is a result: the same key repeats the decline and charges nothing', async () => {
    const { stripe, emulator } = await start()
    const attempt = () =>
      stripe.paymentIntents.create(
        { ...params, confirm: true, payment_method: 'pm_card_visa_chargeDeclined' },
        { idempotencyKey: 'order-1' },
      )
    const first = await problem(attempt())
    const again = await problem(attempt())
    expect(again.raw).toMatchObject({ charge: first.charge, code: 'card_declined' })
    expect(again.headers?.['idempotent-replayed']).toBe('true')
    expect(emulator.state().charges).toHaveLength(1)
  })

  it('a 500 is a result too: the same key repeats it, though the request took effect', async () => {
    const { stripe, emulator } = await start()
    emulator.faults.api({ kind: 'error-after', path: '/v1/payment_intents' })
    const attempt = () => stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    expect(await problem(attempt())).toMatchObject({ statusCode: 500, type: 'StripeAPIError' })
    const again = await problem(attempt())
    expect(again).toMatchObject({ statusCode: 500 })
    expect(again.headers?.['idempotent-replayed']).toBe('true')
    expect(emulator.state().paymentIntents).toHaveLength(1)
  })

  it('the same key with other parameters, or for another endpoint, is an error', async () => {
    const { stripe, emulator } = await start()
    await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    const other = await problem(
      stripe.paymentIntents.create({ ...params, amount: 2_000 }, { idempotencyKey: 'order-1' }),
    )
    expect(other).toMatchObject({ type: 'StripeIdempotencyError', rawType: 'idempotency_error', statusCode: 400 })
    const elsewhere = await problem(stripe.refunds.create({ charge: 'ch_1' }, { idempotencyKey: 'order-1' }))
    expect(elsewhere).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 })
    expect(emulator.state().paymentIntents).toHaveLength(1)
  })

  it('the order of parameters does not make another request', async () => {
    const { emulator } = await start()
    const headers = { 'idempotency-key': 'order-1' }
    const first = await rawPost(emulator, '/v1/payment_intents', 'amount=100&currency=usd', headers)
    const again = await rawPost(emulator, '/v1/payment_intents', 'currency=usd&amount=100', headers)
    expect(again.body).toEqual(first.body)
  })

  it('while the first request runs, a second one is in conflict and has no effect', async () => {
    const { stripe, emulator } = await start()
    const held = emulator.faults.api({ kind: 'hold', path: '/v1/payment_intents' })
    const first = stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })
    await held.arrived
    const second = await problem(stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' }))
    expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
    held.release()
    const { id } = await first
    expect((await stripe.paymentIntents.create(params, { idempotencyKey: 'order-1' })).id).toBe(id)
  })

  it('an invalid request leaves its key free for the corrected one', async () => {
    const { stripe } = await start()
    const idempotencyKey = 'order-1'
    expect(await problem(stripe.paymentIntents.create({ ...params, amount: 0 }, { idempotencyKey }))).toMatchObject({
      code: 'parameter_invalid_integer',
    })
    expect((await stripe.paymentIntents.create(params, { idempotencyKey })).amount).toBe(1_000)
  })

  it('a request refused at the door leaves its key free', async () => {
    const { stripe, emulator } = await start()
    const idempotencyKey = 'order-1'
    emulator.faults.api({ kind: 'unavailable', path: '/v1/*' })
    expect(await problem(stripe.paymentIntents.create(params, { idempotencyKey }))).toMatchObject({ statusCode: 503 })
    emulator.faults.api({ kind: 'rate-limit', path: '/v1/*' })
    expect(await problem(stripe.paymentIntents.create(params, { idempotencyKey }))).toMatchObject({
      code: 'rate_limit',
    })
    expect((await stripe.paymentIntents.create(params, { idempotencyKey })).status).toBe('requires_payment_method')
  })

  it('200 sends of one key at once have one effect and one body', async () => {
    const { emulator } = await start()
    const send = () =>
      rawPost(emulator, '/v1/payment_intents', 'amount=100&currency=usd', { 'idempotency-key': 'order-1' })
    const answers = await Promise.all(Array.from({ length: 200 }, send))
    const bodies = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => JSON.stringify(body)))
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true)
    expect(bodies.size).toBe(1)
    expect(emulator.state().paymentIntents).toHaveLength(1)
  })

  it('a key longer than 255 characters is refused, and reads need none', async () => {
    const { stripe } = await start()
    expect(await problem(stripe.paymentIntents.create(params, { idempotencyKey: 'k'.repeat(256) }))).toMatchObject({
      statusCode: 400,
    })
    const listed = await stripe.paymentIntents.list({}, { idempotencyKey: 'k'.repeat(300) })
    expect(listed.data).toEqual([])
  })

  it('keys of two connected accounts do not meet', async () => {
    const { stripe, emulator } = await start()
    const [one, two] = [await vendorAccount(stripe), await vendorAccount(stripe)]
    await pay(stripe, 10_000)
    for (const { id } of [one, two]) await stripe.transfers.create({ amount: 500, currency: 'usd', destination: id })
    for (const { id } of [one, two]) {
      await stripe.payouts.create({ amount: 500, currency: 'usd' }, { idempotencyKey: 'payout', stripeAccount: id })
    }
    expect(emulator.state().payouts).toHaveLength(2)
  })

  it('whatever breaks, retrying under one key until there is an answer charges at most once', async () => {
    const { emulator } = await start()
    const kinds = fc.constantFrom(
      'error-before',
      'error-after',
      'reset-before',
      'reset-after',
      'unavailable',
      'rate-limit',
    )
    const body = 'amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa'
    // Without the SDK: it waits half a second before each of its own retries.
    const send = (key: string) =>
      rawPost(emulator, '/v1/payment_intents', body, { 'idempotency-key': key }).then(
        ({ status }) => status,
        () => 'connection lost' as const,
      )
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { maxLength: 5 }), fc.uuid(), async (broken, key) => {
        emulator.reset()
        for (const kind of broken) emulator.faults.api({ kind, path: '/v1/payment_intents' })
        let answer = await send(key)
        while (answer !== 200 && answer !== 500) answer = await send(key)
        emulator.faults.clear()

        const charged = emulator.state().charges.length
        expect(charged).toBeLessThanOrEqual(1)
        if (answer === 200) expect(charged).toBe(1)
        expect(await send(key)).toBe(answer)
        expect(emulator.state().charges).toHaveLength(charged)
      }),
      { numRuns: 100 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { problem, rawPost, sdk, start } from './harness.ts'

const create = '/v1/payment_intents'

describe('requests', () => {
  it.each([
    ['amount=abc&currency=usd', 'parameter_invalid_integer', 'amount', 'Invalid integer: abc'],
    ['amount=12.5&currency=usd', 'parameter_invalid_integer', 'amount', 'Invalid integer: 12.5'],
    ['amount=-1&currency=usd', 'parameter_invalid_integer', 'amount', undefined],
    ['amount=&currency=usd', 'parameter_invalid_empty', 'amount', undefined],
    ['currency=usd', 'parameter_missing', 'amount', 'Missing required param: amount.'],
    ['amount=100', 'parameter_missing', 'currency', undefined],
    ['amount=49&currency=usd', 'amount_too_small', 'amount', 'Amount must be at least $0.50'],
    ['amount=100000000&currency=usd', 'amount_too_large', 'amount', undefined],
    ['amount=100&currency=usd&colour=red', 'parameter_unknown', 'colour', 'Received unknown parameter: colour'],
    ['amount=100&currency=usd&a=1&b=2', 'parameter_unknown', 'a', 'Received unknown parameters: a, b'],
    [
      'amount=100&currency=usd&automatic_payment_methods[x]=1',
      'parameter_unknown',
      'automatic_payment_methods[x]',
      undefined,
    ],
    ['amount=100&currency=usd&__proto__[a]=1', 'parameter_unknown', '__proto__', undefined],
    ['amount=100&currency=zzz', undefined, 'currency', 'Invalid currency: zzz.'],
  ])('%s is refused by name: %s', async (body, code, param, message) => {
    const { emulator } = await start()
    const answer = await rawPost(emulator, create, body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ type: 'invalid_request_error', param })
    expect(answer.body.error?.code).toBe(code)
    if (message !== undefined) expect(answer.body.error?.message).toBe(message)
    expect(emulator.state().paymentIntents).toEqual([])
  })

  it('bracketed names are read encoded or not, nested and indexed', async () => {
    const { emulator } = await start()
    const body = 'amount=100&currency=usd&metadata%5Border%5D=1&shipping[address][line1]=Road+7&expand[]=latest_charge'
    const answer = await rawPost(emulator, create, body)
    expect(answer.body).toMatchObject({ metadata: { order: '1' }, shipping: { address: { line1: 'Road 7' } } })
  })

  it('unknown ids are 404 resource_missing, with the parameter that named them', async () => {
    const { stripe } = await start()
    const missing = { type: 'StripeInvalidRequestError', statusCode: 404, code: 'resource_missing' }
    expect(await problem(stripe.paymentIntents.retrieve('pi_none'))).toMatchObject({ ...missing, param: 'intent' })
    expect(await problem(stripe.charges.retrieve('ch_none'))).toMatchObject(missing)
    expect(await problem(stripe.refunds.create({ charge: 'ch_none' }))).toMatchObject({ ...missing, param: 'charge' })
    const transfer = stripe.transfers.create({ amount: 1, currency: 'usd', destination: 'acct_none' })
    expect(await problem(transfer)).toMatchObject({ ...missing, param: 'destination' })
  })

  it('an unknown URL is 404, an unknown key 401, and a missing one 401', async () => {
    const { emulator, stripe } = await start()
    expect(await problem(stripe.customers.list())).toMatchObject({ statusCode: 404 })
    const stranger = sdk(emulator, 'sk_test_other')
    expect(await problem(stranger.balance.retrieve())).toMatchObject({
      type: 'StripeAuthenticationError',
      statusCode: 401,
    })
    expect((await fetch(`${emulator.url}/v1/balance`)).status).toBe(401)
  })

  it('every answer carries a Request-Id, refusals too', async () => {
    const { stripe } = await start()
    const balance = await stripe.balance.retrieve()
    expect(balance.lastResponse.requestId).toMatch(/^req_/)
    expect((await problem(stripe.charges.retrieve('ch_none'))).requestId).toMatch(/^req_/)
  })

  it('a page at a time a list gives everything once, newest first', async () => {
    const { stripe } = await start()
    const made: string[] = []
    for (let index = 0; index < 7; index += 1) {
      made.unshift((await stripe.paymentIntents.create({ amount: 100 + index, currency: 'usd' })).id)
    }
    const first = await stripe.paymentIntents.list({ limit: 3 })
    expect(first.data.map(({ id }) => id)).toEqual(made.slice(0, 3))
    expect(first.has_more).toBe(true)

    const walked: string[] = []
    for await (const { id } of stripe.paymentIntents.list({ limit: 2 })) walked.push(id)
    expect(walked).toEqual(made)

    const last = await stripe.paymentIntents.list({ limit: 3, starting_after: made[3] ?? '' })
    expect(last).toMatchObject({ has_more: false })
    const back = await stripe.paymentIntents.list({ limit: 2, ending_before: made[4] ?? '' })
    expect(back.data.map(({ id }) => id)).toEqual(made.slice(2, 4))
  })

  it('a list refuses a limit above 100 and an unknown position', async () => {
    const { stripe } = await start()
    expect(await problem(stripe.charges.list({ limit: 101 }))).toMatchObject({ param: 'limit' })
    expect(await problem(stripe.charges.list({ starting_after: 'ch_none' }))).toMatchObject({
      code: 'resource_missing',
    })
  })

  it('a property that is no reference cannot be expanded', async () => {
    const { stripe } = await start()
    const { id } = await stripe.paymentIntents.create({ amount: 100, currency: 'usd' })
    expect(await problem(stripe.paymentIntents.retrieve(id, { expand: ['status'] }))).toMatchObject({ statusCode: 400 })
  })
})

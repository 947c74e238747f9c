import { setTimeout as pause } from 'node:timers/promises'
import { Metadata } from 'nice-grpc'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { batched } from '../src/batched.ts'
import { currentCall, inCall, systemCall } from '../src/call.ts'
import { AppError, invalid } from '../src/errors.ts'
import { HEADERS } from '../src/grpc-server.ts'

type Stock = { sku: string; available: number }
type Sent = {
  skus: string[]
  metadata: Metadata
  inCall: boolean
  answer(available?: number, unknown?: string[]): void
  fail(error: unknown): void
}

function neighbour(holdMs?: number) {
  const sent: Sent[] = []
  const batchGetStock = batched(
    ({ skus }: { skus: string[] }, options) =>
      new Promise<{ stocks: Stock[] }>((resolve, reject) => {
        sent.push({
          skus,
          metadata: Metadata(options?.metadata),
          inCall: currentCall() !== undefined,
          answer: (available = 1, unknown = []) =>
            resolve({ stocks: skus.filter((sku) => !unknown.includes(sku)).map((sku) => ({ sku, available })) }),
          fail: reject,
        })
      }),
    { keys: 'skus', items: 'stocks', keyOf: (stock: Stock) => stock.sku, ...(holdMs ? { holdMs } : {}) },
  )
  const ask = async (...skus: string[]) => (await batchGetStock({ skus })).stocks
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { sent, ask, turn }
}

test('who asks while a call is under way goes with all others who wait, each key once, and gets their own in the order asked', async () => {
  const { sent, ask, turn } = neighbour()
  const first = ask('a')
  const others = [ask('b', 'a'), ask('c', 'missing', 'b')]
  expect(sent.map(({ skus }) => skus)).toEqual([['a']])
  sent[0]!.answer(1)
  expect(await first).toEqual([{ sku: 'a', available: 1 }])
  await turn()
  expect(sent.map(({ skus }) => skus)).toEqual([['a'], ['b', 'a', 'c', 'missing']])
  sent[1]!.answer(2, ['missing'])
  expect(await Promise.all(others)).toEqual([
    [
      { sku: 'b', available: 2 },
      { sku: 'a', available: 2 },
    ],
    [
      { sku: 'c', available: 2 },
      { sku: 'b', available: 2 },
    ],
  ])
})

test('nobody is answered from a call that left before they asked', async () => {
  const { sent, ask, turn } = neighbour()
  const early = ask('a')
  const late = ask('a')
  sent[0]!.answer(5)
  expect(await early).toEqual([{ sku: 'a', available: 5 }])
  await turn()
  sent[1]!.answer(4)
  expect(await late).toEqual([{ sku: 'a', available: 4 }])
})

test('what may be held is answered again until so long after its call left; what was not found, or fails, is asked for', async () => {
  const holdMs = 1_000
  const { sent, ask, turn } = neighbour(holdMs)
  const first = ask('a', 'missing')
  const leftBefore = performance.now()
  await pause(50)
  sent[0]!.answer(1, ['missing'])
  await first
  expect(await ask('a')).toEqual([{ sku: 'a', available: 1 }])
  expect(sent).toHaveLength(1)
  const both = ask('a', 'missing')
  await turn()
  expect(sent[1]!.skus).toEqual(['a', 'missing'])
  sent[1]!.fail(new AppError('UNAVAILABLE', 'store_unavailable', 'away'))
  await expect(both).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await ask('a')).toEqual([{ sku: 'a', available: 1 }])
  await pause(leftBefore + holdMs + 1 - performance.now())
  const anew = ask('a')
  await turn()
  sent[2]!.answer(2)
  expect(await anew).toEqual([{ sku: 'a', available: 2 }])
})

test('a call that hangs holds up nobody who asks after it', async () => {
  const { sent, ask } = neighbour()
  void ask('a')
  const next = ask('b')
  await expect.poll(() => sent.length).toBe(2)
  sent[1]!.answer()
  expect(await next).toEqual([{ sku: 'b', available: 1 }])
})

test('a request that the neighbour refuses fails for its own asker only; an outage fails for all who shared the call', async () => {
  const { sent, ask, turn } = neighbour()
  void ask('a')
  const [bad, good] = [ask('no sku'), ask('b')]
  sent[0]!.answer()
  await turn()
  sent[1]!.fail(invalid('request_invalid', 'skus: not a SKU'))
  await turn()
  expect(sent.slice(2).map(({ skus }) => skus)).toEqual([['no sku'], ['b']])
  sent[2]!.fail(invalid('request_invalid', 'skus: not a SKU'))
  sent[3]!.answer()
  await expect(bad).rejects.toMatchObject({ code: 'request_invalid' })
  expect(await good).toEqual([{ sku: 'b', available: 1 }])

  void ask('c')
  const both = Promise.allSettled([ask('d'), ask('e')])
  sent[4]!.answer()
  await turn()
  sent[5]!.fail(new AppError('UNAVAILABLE', 'store_unavailable', 'away'))
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(sent).toHaveLength(6)
})

test('no call has more keys than the contracts allow', async () => {
  const { sent, ask, turn } = neighbour()
  void ask('a')
  const many = (name: string) => Array.from({ length: 120 }, (_, at) => `${name}${at}`)
  const both = Promise.all([ask(...many('b')), ask(...many('c'))])
  sent[0]!.answer()
  await turn()
  expect(sent.slice(1).map(({ skus }) => skus.length)).toEqual([120, 120])
  for (const call of sent.slice(1)) call.answer()
  expect((await both).map((stocks) => stocks.length)).toEqual([120, 120])
})

test("a shared call carries the request ids of the first who waited for it, and nobody's identity", async () => {
  const { sent, ask, turn } = neighbour()
  const silent = pino({ level: 'silent' })
  const [early, first, second] = ['early', 'first', 'second'].map((correlationId) =>
    systemCall(silent, { correlationId }),
  )
  void inCall(early!, () => ask('a'))
  void inCall(first!, () => ask('b'))
  void inCall(second!, () => ask('c'))
  sent[0]!.answer()
  await turn()
  expect(sent.map(({ inCall }) => inCall)).toEqual([false, false])
  expect(sent.map(({ metadata }) => metadata.get(HEADERS.requestId))).toEqual([early!.requestId, first!.requestId])
  expect(sent.map(({ metadata }) => metadata.get(HEADERS.correlationId))).toEqual(['early', 'first'])
})

test('nobody waits past their own deadline, and those who share the call with them do not notice', async () => {
  const { sent, ask, turn } = neighbour()
  const hurried = systemCall(pino({ level: 'silent' }), { timeoutMs: 60 })
  void ask('a')
  const patient = ask('b')
  const answer = inCall(hurried, () => ask('c'))
  sent[0]!.answer()
  await turn()
  await expect(answer).rejects.toMatchObject({ status: 'DEADLINE_EXCEEDED', code: 'deadline_exceeded' })
  sent[1]!.answer()
  expect(await patient).toEqual([{ sku: 'b', available: 1 }])
})

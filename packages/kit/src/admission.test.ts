import { expect, test, vi } from 'vitest'
import { createAdmission } from './admission.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))
const refusal = { status: 'UNAVAILABLE', code: 'overloaded' }

test('no more work goes on at once than allowed; what waits begins in its order, and the rest is refused at once', async () => {
  const admission = createAdmission({ maxInFlight: 3, maxWaiting: 2, maxWaitMs: 60_000 })
  const first = await Promise.all([admission.enter('other'), admission.enter('other'), admission.enter('other')])
  const begun: string[] = []
  const waiting = ['a', 'b'].map(async (name) => {
    const leave = await admission.enter('other')
    begun.push(name)
    return leave
  })
  expect(() => admission.check('other')).toThrow(expect.objectContaining(refusal))
  await expect(admission.enter('other')).rejects.toMatchObject(refusal)
  expect({ inFlight: admission.inFlight, waiting: admission.waiting }).toEqual({ inFlight: 3, waiting: 2 })

  first[0]!()
  first[0]!()
  await tick()
  expect(begun).toEqual(['a'])
  expect(admission.inFlight).toBe(3)
  first[1]!()
  await tick()
  expect(begun).toEqual(['a', 'b'])
  for (const leave of [first[2]!, ...(await Promise.all(waiting))]) leave()
  expect({ inFlight: admission.inFlight, waiting: admission.waiting }).toEqual({ inFlight: 0, waiting: 0 })
  admission.check('other')
})

test('neither checkouts nor the others take the last quarter from each other', async () => {
  const admission = createAdmission({ maxInFlight: 4, maxWaiting: 0, maxWaitMs: 0, reserved: 0.25 })
  for (const [rank, other] of [
    ['checkout', 'page'],
    ['other', 'checkout'],
  ] as const) {
    const places = await Promise.all([admission.enter(rank), admission.enter(rank), admission.enter(rank)])
    await expect(admission.enter(rank)).rejects.toMatchObject(refusal)
    places.push(await admission.enter(other))
    await expect(admission.enter(other)).rejects.toMatchObject(refusal)
    for (const leave of places) leave()
  }
})

test('checkouts wait in front, then pages, and either takes the waiting place of who came last among the least important', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxWaiting: 3, maxWaitMs: 60_000 })
  let leave = await admission.enter('other')
  const begun: string[] = []
  const wait = async (rank: 'checkout' | 'page' | 'other', name: string) => {
    leave = await admission.enter(rank)
    begun.push(name)
  }
  const waiting = [wait('other', 'early'), wait('other', 'late'), wait('page', 'page')]
  const refused = expect(waiting[1]).rejects.toMatchObject(refusal)
  waiting.push(wait('checkout', 'checkout'))
  await refused
  await expect(admission.enter('other')).rejects.toMatchObject(refusal)
  for (let i = 0; i < 3; i++) {
    leave()
    await tick()
  }
  expect(begun).toEqual(['checkout', 'page', 'early'])
})

test('when most answers are slow less is begun, never less than an eighth; quick ones under load bring it back', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const admission = createAdmission({ maxInFlight: 8, maxWaiting: 0, maxWaitMs: 0 })
    /** Each answer of a second comes while the next request takes its place. */
    const second = async (places: number, slow: (n: number) => boolean) => {
      const open = await Promise.all(Array.from({ length: places }, () => admission.enter('other')))
      for (let n = 0; n < 10; n++) {
        vi.advanceTimersByTime(100)
        open.shift()!(slow(n))
        if (open.length < admission.limit) open.push(await admission.enter('other'))
      }
      for (const leave of open) leave(slow(0))
    }
    // Slow, but with room for more.
    for (let i = 0; i < 5; i++) await second(4, () => true)
    // One neighbour hangs.
    for (let i = 0; i < 5; i++) await second(admission.limit, (n) => n % 3 === 0)
    expect(admission.limit).toBe(8)
    for (let i = 0; i < 20; i++) await second(admission.limit, () => true)
    expect(admission.limit).toBe(1)
    for (let i = 0; i < 50; i++) await second(admission.limit, () => false)
    expect(admission.limit).toBe(8)
  } finally {
    vi.useRealTimers()
  }
})

test('who has waited too long is refused, and nobody waits for it any more', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxWaiting: 5, maxWaitMs: 5 })
  const leave = await admission.enter('checkout')
  await expect(admission.enter('checkout')).rejects.toMatchObject(refusal)
  expect(admission.waiting).toBe(0)
  leave()
  expect(admission.inFlight).toBe(0)
})

test('refusals ask to come back at different moments', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxWaiting: 0, maxWaitMs: 0 })
  await admission.enter('checkout')
  const seconds = new Set<unknown>()
  for (let i = 0; i < 100; i++)
    await admission.enter('checkout').catch((error) => seconds.add(error.details.retryAfterSeconds))
  expect([...seconds].sort()).toEqual([1, 2, 3])
})

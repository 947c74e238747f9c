import { expect, test } from 'vitest'
import { createAdmission } from './admission.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))
const refusal = { status: 'UNAVAILABLE', code: 'overloaded' }

test('no more work goes on at once than allowed; what waits begins in its order, and the rest is refused at once', async () => {
  const admission = createAdmission({ maxInFlight: 4, maxWaiting: 2, maxWaitMs: 60_000 })
  const first = await Promise.all([admission.enter(false), admission.enter(false), admission.enter(false)])
  const begun: string[] = []
  const waiting = ['a', 'b'].map(async (name) => {
    const leave = await admission.enter(false)
    begun.push(name)
    return leave
  })
  expect(() => admission.check(false)).toThrow(expect.objectContaining(refusal))
  await expect(admission.enter(false)).rejects.toMatchObject(refusal)
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
  admission.check(false)
})

test('the last quarter of the places is for preferred work, which also waits in front and takes the place of who came last', async () => {
  const admission = createAdmission({ maxInFlight: 4, maxWaiting: 2, maxWaitMs: 60_000 })
  const places = await Promise.all([admission.enter(false), admission.enter(false), admission.enter(false)])
  const early = admission.enter(false)
  const last = admission.enter(false)
  places.push(await admission.enter(true))
  const preferred = admission.enter(true)
  await expect(last).rejects.toMatchObject(refusal)
  expect(admission.inFlight).toBe(4)

  places.pop()!()
  places.push(await preferred)
  expect(admission.waiting).toBe(1)
  places.pop()!()
  await tick()
  expect(admission.waiting).toBe(1)
  places.pop()!()
  places.push(await early)
  expect(admission.waiting).toBe(0)
})

test('who has waited too long is refused, and nobody waits for it any more', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxWaiting: 5, maxWaitMs: 5 })
  const leave = await admission.enter(true)
  await expect(admission.enter(true)).rejects.toMatchObject(refusal)
  expect(admission.waiting).toBe(0)
  leave()
  expect(admission.inFlight).toBe(0)
})

test('refusals ask to come back at different moments', async () => {
  const admission = createAdmission({ maxInFlight: 1, maxWaiting: 0, maxWaitMs: 0 })
  await admission.enter(true)
  const seconds = new Set<unknown>()
  for (let i = 0; i < 100; i++)
    await admission.enter(true).catch((error) => seconds.add(error.details.retryAfterSeconds))
  expect([...seconds].sort()).toEqual([1, 2, 3])
})

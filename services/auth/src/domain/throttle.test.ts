import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Counter, countFailure, countUse, MAX_WAIT_SECONDS, waitSeconds } from './throttle.ts'

const limit = { free: 5, forgiveEverySeconds: 600 }
const t0 = new Date('2024-01-01T00:00:00Z')
const at = (seconds: number) => new Date(t0.getTime() + seconds * 1000)

test('the first failures are free, then each doubles the wait up to a quarter of an hour', () => {
  expect([1, 4, 5, 6, 7, 8].map((n) => waitSeconds(n, 5))).toEqual([0, 0, 1, 2, 4, 8])
  expect(waitSeconds(500, 5)).toBe(MAX_WAIT_SECONDS)
})

test('who must wait is told how long, and waiting is not counted', () => {
  let counter: Counter | undefined
  for (let i = 0; i < 6; i++) {
    const decision = countFailure(limit, counter, at(i * 20))
    if (!decision.allowed) throw new Error('refused')
    counter = decision.next
  }
  expect(counter).toMatchObject({ count: 6, blockedUntil: at(102) })
  expect(countFailure(limit, counter, at(101))).toEqual({ allowed: false, retryAfterSeconds: 1 })
  expect(countFailure(limit, counter, at(102))).toMatchObject({ allowed: true, next: { count: 7 } })
})

test('time forgives one failure after another', () => {
  const counter = { count: 8, startedAt: t0, lastAt: t0, blockedUntil: at(8) }
  expect(countFailure(limit, counter, at(1200))).toMatchObject({ next: { count: 7 } })
  expect(countFailure(limit, counter, at(100_000))).toMatchObject({ next: { count: 1, blockedUntil: null } })
})

test('however the attempts are spread, an account is never guessed at more than some 200 times a day', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 50, maxLength: 400 }), (gaps) => {
      let counter: Counter | undefined
      let now = 0
      let allowed = 0
      for (const gap of gaps) {
        now += gap
        if (now > 86_400) break
        const decision = countFailure(limit, counter, at(now))
        if (!decision.allowed) continue
        allowed++
        counter = decision.next
      }
      return allowed <= 200
    }),
  )
})

test('a quota lets so many through in a window, then in the next', () => {
  const quota = { max: 3, windowSeconds: 60 }
  let counter: Counter | undefined
  for (let i = 0; i < 3; i++) {
    const decision = countUse(quota, counter, at(i))
    if (!decision.allowed) throw new Error('refused')
    counter = decision.next
  }
  expect(countUse(quota, counter, at(10))).toEqual({ allowed: false, retryAfterSeconds: 50 })
  expect(countUse(quota, counter, at(60))).toMatchObject({ allowed: true, next: { count: 1 } })
})

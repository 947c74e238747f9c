import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type KeyTimes, planRotation, signingKey } from './rotation.ts'

const times = { rotationMs: 30 * 86_400_000, leadMs: 600_000, overlapMs: 960_000 }

test('the first start makes a key that signs and the next one', () => {
  const now = new Date('2024-01-01T00:00:00Z')
  expect(planRotation([], now, times)).toEqual({
    create: [now, new Date('2024-01-31T00:00:00Z')],
    remove: [],
  })
})

test('whenever the job runs: a key signs, it was published long enough, and none goes while its tokens live', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 60_000, max: 50 * 86_400_000 }), { minLength: 1, maxLength: 60 }),
      (pauses) => {
        let now = Date.parse('2024-01-01T00:00:00Z')
        let keys: (KeyTimes & { createdAt: number })[] = []
        let count = 0
        for (const pause of [0, ...pauses]) {
          now += pause
          const before = signingKey(keys, new Date(now))
          const plan = planRotation(keys, new Date(now), times)
          for (const kid of plan.remove) {
            // The key that followed has signed for longer than a token lives.
            const sorted = keys.toSorted((a, b) => a.signsFrom.getTime() - b.signsFrom.getTime())
            const next = sorted[sorted.findIndex((key) => key.kid === kid) + 1]
            if (!next || next.signsFrom.getTime() + times.overlapMs > now) return false
          }
          keys = keys.filter((key) => !plan.remove.includes(key.kid))
          keys.push(...plan.create.map((signsFrom) => ({ kid: String(++count), signsFrom, createdAt: now })))
          const after = signingKey(keys, new Date(now))
          if (!after || (before && after.kid !== before.kid)) return false
          if (!keys.some((key) => key.signsFrom.getTime() > now)) return false
          if (keys.some((key) => key.kid !== '1' && key.signsFrom.getTime() < key.createdAt + times.leadMs))
            return false
          if (keys.length > 3) return false
        }
        return true
      },
    ),
  )
})

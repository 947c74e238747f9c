import { expect, test } from 'vitest'
import { decide, type Review, withReply } from './review.ts'

const at = new Date('2026-02-03T04:05:06Z')
const earlier = new Date('2026-01-01T00:00:00Z')
const review = (more: Partial<Review> = {}) =>
  ({ status: 'pending', rejectionReason: '', isFlagged: false, round: 0, version: 4, reply: null, ...more }) as Review

test('a changed status has to be settled, under the version it makes', () => {
  expect(decide(review(), { status: 'approved', reason: 'x' }, at)).toMatchObject({
    status: 'approved',
    isApproved: true,
    rejectionReason: '',
    waitingSince: null,
    round: 1,
    unsettled: { version: 5, at },
  })
  const before = review({ status: 'approved', isFlagged: true })
  expect(decide(before, { status: 'rejected', reason: 'x' }, at)).toMatchObject({
    status: 'rejected',
    isApproved: false,
    rejectionReason: 'x',
    isFlagged: false,
    unsettled: { version: 5, at },
  })
})

test('approving a flagged review again closes its flags and moves no rating', () => {
  const change = decide(review({ status: 'approved', isFlagged: true }), { status: 'approved', reason: '' }, at)
  expect(change).toMatchObject({ isFlagged: false, round: 1 })
  expect(change).not.toHaveProperty('unsettled')
})

test('the same decision again changes nothing, another reason is kept', () => {
  const rejected = review({ status: 'rejected', rejectionReason: 'x' })
  expect(decide(review({ status: 'approved' }), { status: 'approved', reason: '' }, at)).toBeUndefined()
  expect(decide(rejected, { status: 'rejected', reason: 'x' }, at)).toBeUndefined()
  expect(decide(rejected, { status: 'rejected', reason: 'y' }, at)).toMatchObject({ rejectionReason: 'y' })
})

test('a replaced reply keeps the time of the first; the same text changes nothing', () => {
  expect(withReply(review(), 'a', at)?.reply).toEqual({ body: 'a', createdAt: at, updatedAt: at })
  const replied = review({ reply: { body: 'a', createdAt: earlier, updatedAt: earlier } })
  expect(withReply(replied, 'b', at)?.reply).toEqual({ body: 'b', createdAt: earlier, updatedAt: at })
  expect(withReply(replied, 'a', at)).toBeUndefined()
})

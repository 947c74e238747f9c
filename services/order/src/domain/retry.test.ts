import { expect, test } from 'vitest'
import { retryAt } from './retry.ts'

test('pauses double up to ten minutes', () => {
  const now = new Date(0)
  expect([0, 1, 2, 7, 100].map((failures) => retryAt(now, failures).getTime() / 1000)).toEqual([5, 10, 20, 600, 600])
})

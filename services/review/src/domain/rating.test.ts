import { expect, test } from 'vitest'
import { averageOf, countOf, noStars, starsOf } from './rating.ts'

test('the average weighs each rating by how many gave it', () => {
  const stars = starsOf([
    [5, 2],
    [1, 1],
    [4, 3],
  ])
  expect(stars).toEqual([1, 0, 0, 3, 2])
  expect(countOf(stars)).toBe(6)
  expect(averageOf(stars)).toBeCloseTo(23 / 6, 12)
})

test('without reviews there is an average of 0', () => {
  expect(averageOf(starsOf([]))).toBe(0)
  expect(countOf(noStars)).toBe(0)
})
